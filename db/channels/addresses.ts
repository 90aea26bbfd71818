import { sql } from 'kysely';
import { AppError } from '../../domain/errors.ts';
import type { Locale } from '../../domain/messages.ts';
import type { Instant } from '../../domain/period.ts';
import { columnsOf, type RowOf } from '../columns.ts';
import { first, instantOf, type Database, type Sql, type Tx } from '../database.ts';
import { AddressChange } from '../entities/channels/address.ts';
import { writeNotification, type Outward } from './outbox.ts';
import { addressOf, hashOfAddress, isSuppressed } from './targets.ts';

/** Any constant will do, if nobody else's pair of advisory locks has it. */
const ADDRESS_LOCK = 726_653;
/** A link to confirm a change is good for so long. */
const GOOD_FOR_HOURS = 24;
/** Whoever asks for changes makes us write to strangers: so many a person, and to one address, in 24 hours. */
const MOST_CHANGES = 5;

const changeColumns = columnsOf(AddressChange, 'c', {
  changeId: 'id',
  userId: 'userId',
  email: 'email',
  oldEmail: 'oldEmail',
  expiresAt: 'expiresAt',
  newConfirmedAt: 'newConfirmedAt',
  oldConfirmedAt: 'oldConfirmedAt',
});
/** Instants in milliseconds. */
export type AddressChangeRecord = Readonly<RowOf<typeof changeColumns>>;

export interface AddressState {
  readonly address: string | null;
  /** It has refused our mail for good. */
  readonly isSuppressed: boolean;
  readonly change: AddressChangeRecord | null;
}

export async function readAddress(on: Sql, userId: number): Promise<AddressState> {
  const found = await first(
    sql<{ address: string | null; isSuppressed: boolean }>`select r.email as address,
      ${isSuppressed(sql`r.email`)} as "isSuppressed" from ${addressOf(userId)} r`,
    on,
  );
  return {
    address: found?.address ?? null,
    isSuppressed: found?.isSuppressed ?? false,
    change: await findChange(on, userId),
  };
}

function findChange(on: Sql, userId: number): Promise<AddressChangeRecord | null> {
  return first(
    sql<AddressChangeRecord>`select ${changeColumns} from address_changes c
    where user_id = ${userId} and ended_at is null and expires_at > ${on.clock()} order by created_at desc limit 1`,
    on,
  );
}

/**
 * Asks the new mailbox, and the old one where there is one, whether mail goes to `email` from now on. An earlier change
 * that still waits is given up.
 * @returns the deliveries to start after the commit.
 * @throws AppError invalid_request when it is the address already, rate_limited after 5 changes within 24 hours.
 */
export async function changeAddress(
  database: Database,
  { userId, email, outward }: { userId: number; email: string; outward: Outward },
): Promise<readonly string[]> {
  return database.transaction(async (tx) => {
    // Two requests at once would pass the limit together.
    const person = await first(
      sql<{ locale: Locale; now: Instant }>`select locale, ${instantOf(tx)} as now
      from users where id = ${userId} for no key update`,
      tx,
    );
    if (person === null) throw new AppError('not_found');
    const { address: oldEmail, isSuppressed } = await readAddress(tx, userId);
    if (oldEmail === email && !isSuppressed)
      throw new AppError('invalid_request', { field: 'email', reason: 'it is your address already' });
    await refuseTooMany(tx, { userId, email });
    tx.write(sql`update address_changes set ended_at = ${tx.clock()} where user_id = ${userId} and ended_at is null`);
    const asked = oldEmail === email ? null : oldEmail;
    const change = await first(
      sql<{ changeId: string }>`insert into address_changes (user_id, email, old_email, created_at, expires_at)
      values (${userId}, ${email}, ${asked}, ${tx.clock()}, ${tx.clock()} + make_interval(hours => ${GOOD_FOR_HOURS})) returning id as "changeId"`,
      tx,
    );
    if (change === null) throw new Error('an insert returns its row');
    const deliveries: string[] = [];
    for (const [which, to] of [
      ['new', email],
      ['old', asked],
    ] as const) {
      if (to === null) continue;
      const told = { kind: 'security.address', figures: { ...change, which, email } } as const;
      const { deliveryIds } = await writeNotification(tx, {
        userId,
        told,
        locale: person.locale,
        purchaseUrl: '',
        key: `${change.changeId}/${which}`,
        now: person.now,
        outward,
        to,
      });
      deliveries.push(...deliveryIds);
    }
    return deliveries;
  });
}

/** One after the other for an address, whoever asks: many people at once must not write to a stranger together. */
async function refuseTooMany(tx: Tx, { userId, email }: { userId: number; email: string }): Promise<void> {
  await sql`select pg_advisory_xact_lock(${ADDRESS_LOCK}::integer, hashtext(${email}))`.execute(tx);
  const since = sql`${tx.clock()} - interval '24 hours'`;
  const found = await first(
    sql<{ mine: number; theirs: number }>`select
      (select count(*)::int from address_changes where user_id = ${userId} and created_at > ${since}) as mine,
      (select count(*)::int from address_changes where email = ${email} and created_at > ${since}) as theirs`,
    tx,
  );
  if (found !== null && Math.max(found.mine, found.theirs) >= MOST_CHANGES)
    throw new AppError('rate_limited', { retryAfter: 3_600 });
}

/** `changed`: all mailboxes have confirmed. `waiting`: the other one has not yet. */
export type Confirmation = { readonly state: 'changed' | 'waiting'; readonly email: string };

/**
 * One mailbox has confirmed. The change is made by the last of them, once: a link that is followed again says so, and
 * undoes no later change. A suppressed address that confirms takes mail again.
 * @returns null for a change that was given up, is too old, or was followed by another, and for one that nobody knows.
 */
export async function confirmAddress(
  database: Database,
  { changeId, which }: { changeId: string; which: 'new' | 'old' },
): Promise<Confirmation | null> {
  return database.transaction(async (tx) => {
    const column = which === 'new' ? sql`new_confirmed_at` : sql`old_confirmed_at`;
    const change = await first(
      sql<
        AddressChangeRecord & { isMade: boolean }
      >`update address_changes c set ${column} = coalesce(${column}, ${tx.clock()})
      where id = ${changeId} and (ended_at is null or (new_confirmed_at is not null and (old_email is null or old_confirmed_at is not null)))
        and expires_at > ${tx.clock()} returning ${changeColumns}, c.ended_at is not null as "isMade"`,
      tx,
    );
    if (change === null) return null;
    const { userId, email, oldEmail, newConfirmedAt, oldConfirmedAt, isMade } = change;
    if (isMade) {
      const { address } = await readAddress(tx, userId);
      return address === email ? { state: 'changed', email } : null;
    }
    if (newConfirmedAt === null || (oldEmail !== null && oldConfirmedAt === null)) return { state: 'waiting', email };
    await sql`insert into addresses (user_id, email, verified_at) values (${userId}, ${email}, ${tx.clock()})
      on conflict (user_id) do update set email = excluded.email, verified_at = excluded.verified_at`.execute(tx);
    await sql`delete from suppressions where hash = ${hashOfAddress(sql`${email}::text`)}`.execute(tx);
    await sql`update address_changes set ended_at = ${tx.clock()} where id = ${changeId}`.execute(tx);
    return { state: 'changed', email };
  });
}
