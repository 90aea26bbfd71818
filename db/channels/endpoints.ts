import { sql, type RawBuilder } from 'kysely';
import { v7 as uuidv7 } from 'uuid';
import {
  DISABLE_AFTER_MS,
  MOST_ENDPOINTS,
  ROTATION_HOURS,
  type EndpointScope,
  type EndpointState,
  type WebhookEvent,
} from '../../domain/channels/endpoint.ts';
import type { AuditActor, AuditFigures } from '../../domain/audit.ts';
import { AppError } from '../../domain/errors.ts';
import type { Locale } from '../../domain/messages.ts';
import type { Vault } from '../../domain/payments/vault.ts';
import { writeAudit } from '../audit.ts';
import { columnsOf, type RowOf } from '../columns.ts';
import { first, one, type Database, type Sql, type Tx } from '../database.ts';
import { WebhookEndpoint } from '../entities/channels/webhook-endpoint.ts';
import { isEntitled } from './targets.ts';

const columns = columnsOf(WebhookEndpoint, 'e', {
  endpointId: 'id',
  userId: 'userId',
  scope: 'scope',
  url: 'url',
  events: 'events',
  state: 'state',
  failingSince: 'failingSince',
  createdAt: 'createdAt',
});
/** Instants in milliseconds. */
export type EndpointRecord = Readonly<RowOf<typeof columns>>;

/** All of the person's, oldest first: there are at most 10. */
export async function listEndpoints(on: Sql, userId: number): Promise<EndpointRecord[]> {
  const { rows } = await sql<EndpointRecord>`select ${columns} from webhook_endpoints e
    where user_id = ${userId} and deleted_at is null order by created_at, id`.execute(on);
  return rows;
}

/** @throws AppError not_found, for somebody else's as well. */
export function getEndpoint(on: Sql, own: OwnEndpoint): Promise<EndpointRecord> {
  return find(on, own, sql``);
}

/** As `getEndpoint`, for whoever changes it: of two at once each records what the other has left. */
function lockEndpoint(tx: Tx, own: OwnEndpoint): Promise<EndpointRecord> {
  return find(tx, own, sql`for no key update`);
}

async function find(on: Sql, { endpointId, userId }: OwnEndpoint, lock: RawBuilder<unknown>): Promise<EndpointRecord> {
  const found = await first(
    sql<EndpointRecord>`select ${columns} from webhook_endpoints e
    where id = ${endpointId} and user_id = ${userId} and deleted_at is null ${lock}`,
    on,
  );
  if (found === null) throw new AppError('not_found');
  return found;
}

export interface OwnEndpoint {
  readonly endpointId: string;
  readonly userId: number;
}

/** @throws AppError invalid_request for the eleventh. */
export async function createEndpoint(
  database: Database,
  vault: Vault,
  wanted: {
    userId: number;
    scope: EndpointScope;
    url: string;
    events: readonly WebhookEvent[];
    secret: string;
    actor: AuditActor;
  },
): Promise<EndpointRecord> {
  const endpointId = uuidv7();
  const { userId, scope, url, events, secret, actor } = wanted;
  return database.transaction(async (tx) => {
    await one(sql`select 1 from users where id = ${userId} for no key update`, tx);
    if ((await listEndpoints(tx, userId)).length >= MOST_ENDPOINTS)
      throw new AppError('invalid_request', { field: 'url', reason: `there are ${MOST_ENDPOINTS} already` });
    await sql`insert into webhook_endpoints (id, user_id, scope, url, events, secret, created_at)
      values (${endpointId}, ${userId}, ${scope}, ${url}, ${[...events]}::text[], ${vault.seal(endpointId, secret)}, ${tx.clock()})`.execute(
      tx,
    );
    const made = await getEndpoint(tx, { endpointId, userId });
    await audit(tx, { actor, verb: 'create', endpointId, before: null, after: figuresOf(made) });
    return made;
  });
}

/** Where the events of an account, or of all, leave the house is on record. An address may hold a secret: it is not. */
async function audit(
  tx: Tx,
  {
    verb,
    endpointId,
    ...entry
  }: {
    actor: AuditActor;
    verb: 'create' | 'update' | 'delete';
    endpointId: string;
    before: AuditFigures | null;
    after: AuditFigures | null;
  },
): Promise<void> {
  await writeAudit(tx, { ...entry, action: `webhook.${verb}`, target: `webhook:${endpointId}`, reason: null });
}

function figuresOf({ userId, scope, events, state }: EndpointRecord): AuditFigures {
  return { userId, scope, events: events.join(' '), state };
}

/** Changes what is named. Enabling it forgets how long it has failed. @throws AppError not_found. */
export async function changeEndpoint(
  database: Database,
  vault: Vault,
  {
    endpointId,
    userId,
    actor,
    ...change
  }: OwnEndpoint & {
    actor: AuditActor;
    url?: string | undefined;
    events?: readonly WebhookEvent[] | undefined;
    state?: EndpointState | undefined;
    secret?: string | undefined;
  },
): Promise<EndpointRecord> {
  const { url = null, events = null, state = null, secret } = change;
  return database.transaction(async (tx) => {
    const before = await lockEndpoint(tx, { endpointId, userId });
    await sql`update webhook_endpoints set url = coalesce(${url}, url), events = coalesce(${events === null ? null : [...events]}::text[], events),
        state = coalesce(${state}, state), failing_since = case when ${state}::text = 'enabled' then null else failing_since end
      where id = ${endpointId} and user_id = ${userId} and deleted_at is null`.execute(tx);
    if (secret !== undefined)
      await sql`update webhook_endpoints set old_secret = secret, old_until = ${tx.clock()} + make_interval(hours => ${ROTATION_HOURS}),
          secret = ${vault.seal(endpointId, secret)} where id = ${endpointId} and user_id = ${userId} and deleted_at is null`.execute(
        tx,
      );
    const changed = await getEndpoint(tx, { endpointId, userId });
    await audit(tx, {
      ...{ actor, verb: 'update', endpointId, before: figuresOf(before) },
      after: {
        ...figuresOf(changed),
        ...(changed.url === before.url ? {} : { urlChanged: true }),
        ...(secret === undefined ? {} : { secretChanged: true }),
      },
    });
    return changed;
  });
}

/** What waits for it ends. @throws AppError not_found. */
export async function deleteEndpoint(
  database: Database,
  { actor, ...own }: OwnEndpoint & { actor: AuditActor },
): Promise<void> {
  await database.transaction(async (tx) => {
    const before = await lockEndpoint(tx, own);
    await audit(tx, { actor, verb: 'delete', endpointId: own.endpointId, before: figuresOf(before), after: null });
    await sql`update webhook_endpoints set deleted_at = ${tx.clock()}, secret = '', old_secret = null where id = ${own.endpointId}`.execute(
      tx,
    );
  });
}

/** What a delivery needs of its endpoint. */
export interface Target {
  readonly url: string;
  readonly scope: EndpointScope;
  /** Its owner's language. */
  readonly locale: Locale;
  /** The newest first; none when they were sealed by another key. */
  readonly secrets: readonly string[];
}

/** Null when it is disabled or deleted, and when it is the operator's and its owner is no admin any more. */
export async function findTarget(on: Sql, vault: Vault, endpointId: string): Promise<Target | null> {
  const found = await first(
    sql<{
      url: string;
      scope: EndpointScope;
      locale: Locale;
      secret: Buffer;
      oldSecret: Buffer | null;
    }>`select e.url, e.scope, e.secret, (select u.locale from users u where u.id = e.user_id) as locale,
      case when e.old_until > ${on.clock()} then e.old_secret end as "oldSecret"
    from webhook_endpoints e where e.id::text = ${endpointId} and e.state = 'enabled' and e.deleted_at is null and ${isEntitled}`,
    on,
  );
  if (found === null) return null;
  const { url, scope, locale, secret, oldSecret } = found;
  const sealed = oldSecret === null ? [secret] : [secret, oldSecret];
  return {
    url,
    scope,
    locale,
    secrets: sealed.map((one) => vault.open(endpointId, one)).filter((one) => one !== null),
  };
}

/**
 * Notes whether it took something. After three days of nothing it is disabled.
 * @returns the owner, when it was disabled now.
 */
export async function noteTaken(on: Sql, endpointId: string, isTaken: boolean): Promise<{ userId: number } | null> {
  if (isTaken) {
    await sql`update webhook_endpoints set failing_since = null where id::text = ${endpointId} and failing_since is not null`.execute(
      on,
    );
    return null;
  }
  await sql`update webhook_endpoints set failing_since = ${on.clock()} where id::text = ${endpointId} and failing_since is null`.execute(
    on,
  );
  return first(
    sql<{ userId: number }>`update webhook_endpoints set state = 'disabled'
    where id::text = ${endpointId} and state = 'enabled'
      and failing_since < ${on.clock()} - ${DISABLE_AFTER_MS}::float8 * interval '1 millisecond' returning user_id::float8 as "userId"`,
    on,
  );
}
