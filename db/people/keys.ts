import { sql } from 'kysely';
import { MOST_KEYS_A_DAY, MOST_LIVE_KEYS, type CapKind, type KeyScope } from '../../domain/api-keys.ts';
import type { AuditActor, AuditFigures } from '../../domain/audit.ts';
import { AppError } from '../../domain/errors.ts';
import type { Instant } from '../../domain/period.ts';
import { writeAudit } from '../audit.ts';
import { columnsOf } from '../columns.ts';
import { first, one, type Database, type Tx } from '../database.ts';
import { ApiKey } from '../entities/keys/api-key.ts';
import { lockAccountRow } from '../money/accounts.ts';
import { isLive } from './key-holders.ts';
import { getKey, type KeyRecord, type OfPerson } from './key-records.ts';
import { mintSecret } from './secrets.ts';

/** What a person decides about a key of theirs. Instants in milliseconds. */
export interface KeySettings {
  readonly name: string;
  readonly scopes: readonly KeyScope[];
  /** Null: every model on offer. */
  readonly models: readonly string[] | null;
  /** Null, both of them: no cap of its own. */
  readonly capTokens: number | null;
  readonly capKind: CapKind | null;
  /** Null: the account's limit alone. */
  readonly requestsPerMinute: number | null;
  /** Null: it is good until it is revoked. */
  readonly expiresAt: Instant | null;
}

/** A key that was made or rotated, with the secret that is told only now. */
export interface MintedKey {
  readonly key: KeyRecord;
  readonly secret: string;
}

/**
 * @param made.accountId who pays for the key's turns.
 * @throws AppError too_many_keys, rate_limited (made within a day), invalid_request (expiry). OutcomeUnknown: a key may
 *   be there whose secret nobody has.
 */
export async function createKey(
  database: Database,
  made: { userId: number; accountId: number; settings: KeySettings; actor: AuditActor },
): Promise<MintedKey> {
  const { userId, accountId, settings, actor } = made;
  const { secret, hash, hint } = mintSecret();
  return database.locking({ accountId }, async (tx) => {
    // Under the account's lock, so that two at once are counted one after the other.
    await lockAccountRow(tx, accountId);
    await assertRoomForKey(tx, userId);
    await assertFuture(tx, settings.expiresAt);
    const { keyId } = await one(
      sql<{
        keyId: number;
      }>`insert into api_keys (user_id, account_id, token_hash, token_hint, name, scopes, models, cap_tokens, cap_kind, requests_per_minute, expires_at)
        values (${userId}, ${accountId}, ${hash}, ${hint}, ${settings.name}, ${settings.scopes}::text[], ${settings.models}::text[], ${settings.capTokens},
          ${settings.capKind}, ${settings.requestsPerMinute}, ${dateOf(settings.expiresAt)}) returning id::float8 as "keyId"`,
      tx,
    );
    await writeAudit(tx, {
      actor,
      action: 'key.create',
      target: `key:${keyId}`,
      reason: null,
      after: { userId, ...figuresOf(settings) },
    });
    return { key: await getKey(tx, { userId, keyId }), secret };
  });
}

async function assertRoomForKey(tx: Tx, userId: number): Promise<void> {
  const { live, today } = await one(
    sql<{ live: number; today: number }>`select
        count(*) filter (where ${isLive})::int as live,
        count(*) filter (where k.created_at > now() - interval '1 day')::int as today
      from api_keys k where user_id = ${userId} and scopes is not null`,
    tx,
  );
  if (live >= MOST_LIVE_KEYS) throw new AppError('too_many_keys', { most: MOST_LIVE_KEYS });
  if (today >= MOST_KEYS_A_DAY) throw new AppError('rate_limited', { retryAfter: 3_600 });
}

/**
 * Changes what is given. A cap counts from the next admission on.
 * @throws AppError not_found, also of a revoked key; invalid_request (expiry).
 */
export async function updateKey(
  database: Database,
  { change, actor, ...of }: OfPerson & { change: Partial<KeySettings>; actor: AuditActor },
): Promise<KeyRecord> {
  return database.transaction(async (tx) => {
    const before = await lockKey(tx, of);
    if (change.expiresAt !== undefined) await assertFuture(tx, change.expiresAt);
    const after: KeySettings = { ...before, ...change };
    await sql`update api_keys set name = ${after.name}, scopes = ${after.scopes}::text[], models = ${after.models}::text[], cap_tokens = ${after.capTokens},
      cap_kind = ${after.capKind}, requests_per_minute = ${after.requestsPerMinute}, expires_at = ${dateOf(after.expiresAt)} where id = ${of.keyId}`.execute(
      tx,
    );
    await writeAudit(tx, {
      actor,
      action: 'key.update',
      target: `key:${of.keyId}`,
      reason: null,
      before: figuresOf(before),
      after: figuresOf(after),
    });
    return getKey(tx, of);
  });
}

/**
 * Gives a key another secret. The one before stays good for so long; one that is still good from an earlier rotation
 * ends at once, which only a rotation without overlap may ask for.
 * @throws AppError not_found, key_rotating.
 */
export async function rotateKey(
  database: Database,
  { overlapSeconds, actor, ...of }: OfPerson & { overlapSeconds: number; actor: AuditActor },
): Promise<MintedKey> {
  const { secret, hash, hint } = mintSecret();
  return database.transaction(async (tx) => {
    const { rotatesUntil } = await lockKey(tx, of);
    if (rotatesUntil !== null && overlapSeconds > 0)
      throw new AppError('key_rotating', { previousEndsAt: new Date(rotatesUntil).toISOString() });
    await (
      overlapSeconds === 0
        ? sql`update api_keys set token_hash = ${hash}, token_hint = ${hint}, previous_hash = null, previous_hint = null, previous_ends_at = null where id = ${of.keyId}`
        : sql`update api_keys set token_hash = ${hash}, token_hint = ${hint}, previous_hash = token_hash, previous_hint = token_hint,
          previous_ends_at = now() + ${overlapSeconds} * interval '1 second' where id = ${of.keyId}`
    ).execute(tx);
    await writeAudit(tx, {
      actor,
      action: 'key.rotate',
      target: `key:${of.keyId}`,
      reason: null,
      after: { overlapSeconds },
    });
    return { key: await getKey(tx, of), secret };
  });
}

/** Both its secrets are good no more. Doing it again changes nothing. @throws AppError not_found. */
export async function revokeKey(database: Database, { actor, ...of }: OfPerson & { actor: AuditActor }): Promise<void> {
  await database.transaction(async (tx) => {
    const { state } = await getKey(tx, of);
    const { numAffectedRows = 0n } =
      await sql`update api_keys set revoked_at = now() where id = ${of.keyId} and revoked_at is null`.execute(tx);
    if (state === 'revoked' || numAffectedRows === 0n) return;
    await writeAudit(tx, { actor, action: 'key.revoke', target: `key:${of.keyId}`, reason: null });
  });
}

/** An admin ends a key of somebody's, also one to sign in by. Again changes nothing. @throws AppError not_found. */
export async function revokeKeyOf(
  database: Database,
  { userId, keyId, reason, actor }: OfPerson & { reason: string; actor: AuditActor },
): Promise<void> {
  await database.transaction(async (tx) => {
    const key = await first(
      sql<{ isLive: boolean }>`select revoked_at is null as "isLive" from api_keys
        where id = ${keyId} and user_id = ${userId} for no key update`,
      tx,
    );
    if (key === null) throw new AppError('not_found');
    if (!key.isLive) return;
    await sql`update api_keys set revoked_at = now() where id = ${keyId}`.execute(tx);
    await writeAudit(tx, { actor, action: 'key.revoke', target: `key:${keyId}`, reason, after: { userId } });
  });
}

type LockedKey = KeySettings & { readonly rotatesUntil: Instant | null };

async function lockKey(tx: Tx, { userId, keyId }: OfPerson): Promise<LockedKey> {
  const key = await first(
    sql<LockedKey>`select ${columnsOf(ApiKey, 'k', ['name', 'scopes', 'models', 'capTokens', 'capKind', 'requestsPerMinute', 'expiresAt'])},
      case when previous_ends_at > now() then floor(extract(epoch from previous_ends_at) * 1000)::float8 end as "rotatesUntil"
      from api_keys k where id = ${keyId} and user_id = ${userId} and scopes is not null and revoked_at is null for no key update`,
    tx,
  );
  if (key === null) throw new AppError('not_found');
  return key;
}

async function assertFuture(tx: Tx, at: Instant | null): Promise<void> {
  if (at === null) return;
  const { isPast } = await one(sql<{ isPast: boolean }>`select ${new Date(at)}::timestamptz <= now() as "isPast"`, tx);
  if (isPast) throw new AppError('invalid_request', { field: 'expiresAt', reason: 'must lie in the future' });
}

function dateOf(at: Instant | null): Date | null {
  return at === null ? null : new Date(at);
}

/** Without the name, which is the person's own words. */
function figuresOf({ name: _, scopes, models, expiresAt, ...figures }: KeySettings): AuditFigures {
  return {
    capTokens: figures.capTokens,
    capKind: figures.capKind,
    requestsPerMinute: figures.requestsPerMinute,
    scopes: scopes.join(' '),
    models: models?.join(' ') ?? null,
    expiresAt: dateOf(expiresAt)?.toISOString() ?? null,
  };
}
