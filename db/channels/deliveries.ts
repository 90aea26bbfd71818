import { sql } from 'kysely';
import { isConfirming, type Channel, type NotificationKind } from '../../domain/channels/kinds.ts';
import type { Event } from '../../domain/channels/event.ts';
import { decideNext, type AttemptOutcome, type DeliveryError } from '../../domain/channels/outcome.ts';
import type { Locale } from '../../domain/messages.ts';
import { first, one, type Database, type Sql } from '../database.ts';
import { isMailOn } from './outbox.ts';
import { hashOfAddress, isSuppressed } from './targets.ts';

/** One delivery that is to be tried now. */
export interface Job {
  readonly deliveryId: string;
  readonly userId: number;
  readonly channel: Exclude<Channel, 'in_app'>;
  readonly address: string;
  readonly event: Event;
  /** When it was decided, milliseconds. */
  readonly at: number;
  readonly locale: Locale;
}

export type DeliveryState = 'pending' | 'delivered' | 'failed';

/** How far a delivery is. `pauseMs` is null unless it is tried again. */
export interface Progress {
  readonly state: DeliveryState;
  readonly attempts: number;
  readonly error: DeliveryError | null;
  readonly answer: string | null;
  readonly pauseMs: number | null;
}

/**
 * Begins an attempt. One that was cut off before (its process died, or its end could not be written) counts as one
 * whose outcome nobody knows.
 * @returns the job; or how it ended, without another attempt.
 */
export async function beginAttempt(database: Database, deliveryId: string): Promise<Job | Progress> {
  const begun = await first(
    sql<{
      unknowns: number;
      elapsedMs: number;
      channel: Job['channel'];
      address: string;
      notificationId: number;
    }>`
    update deliveries d set attempts = attempts + 1, unknowns = unknowns + (trying_since is not null)::int, trying_since = ${database.sql.clock()}
    where id = ${deliveryId} and state = 'pending'
    returning unknowns, channel, address, notification_id::float8 as "notificationId",
      extract(epoch from ${database.sql.clock()} - queued_at)::float8 * 1000 as "elapsedMs"`,
    database.sql,
  );
  if (begun === null) return readProgress(database.sql, deliveryId);
  const { channel, address, notificationId, unknowns, elapsedMs } = begun;
  const step = decideNext({ outcome: 'unknown' }, { unknowns, elapsedMs, spread: 0 });
  if (unknowns > 0 && step.state === 'failed') return fail(database.sql, deliveryId, step.error);
  const row = await one(
    sql<{ userId: number; kind: NotificationKind; figures: Event['figures']; locale: Locale; at: number }>`
    select user_id::float8 as "userId", kind, figures, locale, floor(extract(epoch from created_at) * 1000)::float8 as at from notifications where id = ${notificationId}`,
    database.sql,
  );
  const { userId, kind, figures, locale, at } = row;
  const refusal = channel === 'email' ? await refusalOf(database.sql, { userId, kind, address }) : null;
  if (refusal !== null) return fail(database.sql, deliveryId, refusal);
  return { deliveryId, userId, channel, address, event: { kind, figures } as Event, at, locale };
}

/** Why a mail must not go by now, whatever was so when it was written; null: it may. */
async function refusalOf(
  on: Sql,
  { userId, kind, address }: { userId: number; kind: NotificationKind; address: string },
): Promise<DeliveryError | null> {
  // A mail that asks its mailbox for something goes to any.
  if (isConfirming(kind)) return null;
  const { isOn, isGone } = await one(
    sql<{ isOn: boolean; isGone: boolean }>`select ${isMailOn({ userId, kind })} as "isOn",
      ${isSuppressed(sql`${address}::text`)} as "isGone"`,
    on,
  );
  if (!isOn) return 'switched_off';
  return isGone ? 'suppressed' : null;
}

/** Whether an attempt is to be made. */
export function isJob(begun: Job | Progress): begun is Job {
  return 'deliveryId' in begun;
}

/**
 * Writes what an attempt came to, and what follows. A delivery that has ended meanwhile stays as it is. An address that
 * is gone gets no more mail.
 * @param spread 0 to 1: keeps deliveries that failed together apart.
 */
export async function endAttempt(
  database: Database,
  { deliveryId, spread, ...attempt }: { deliveryId: string; spread: number } & AttemptOutcome,
): Promise<Progress> {
  const { outcome, answer } = attempt;
  return database.transaction(async (tx) => {
    const found = await first(
      sql<{ unknowns: number; elapsedMs: number; address: string; channel: string }>`select unknowns, address, channel,
        extract(epoch from ${tx.clock()} - queued_at)::float8 * 1000 as "elapsedMs"
      from deliveries where id = ${deliveryId} and state = 'pending' for no key update`,
      tx,
    );
    if (found === null) return readProgress(tx, deliveryId);
    const { elapsedMs, address, channel } = found;
    const unknowns = found.unknowns + (outcome === 'unknown' ? 1 : 0);
    const next = decideNext(attempt, { unknowns: outcome === 'unknown' ? unknowns : 0, elapsedMs, spread });
    const pauseMs = next.state === 'pending' ? next.pauseMs : 0;
    await sql`update deliveries set state = ${next.state}, unknowns = ${unknowns}, trying_since = null, answer = ${answer},
      error_code = ${next.state === 'failed' ? next.error : null},
      due_at = ${tx.clock()} + ${pauseMs}::float8 * interval '1 millisecond',
      ended_at = ${next.state === 'pending' ? sql`null` : tx.clock()} where id = ${deliveryId}`.execute(tx);
    if (attempt.outcome === 'refused' && attempt.isRecipientGone && channel === 'email')
      tx.write(sql`insert into suppressions (hash, reason, at) values (${hashOfAddress(sql`${address}::text`)}, ${answer}, ${tx.clock()})
        on conflict (hash) do nothing`);
    return readProgress(tx, deliveryId);
  });
}

async function fail(on: Sql, deliveryId: string, error: DeliveryError): Promise<Progress> {
  await sql`update deliveries set state = 'failed', error_code = ${error}, trying_since = null, ended_at = ${on.clock()}
    where id = ${deliveryId} and state = 'pending'`.execute(on);
  return readProgress(on, deliveryId);
}

async function readProgress(on: Sql, deliveryId: string): Promise<Progress> {
  const found = await first(
    sql<Progress>`select state, attempts, error_code as error, answer, case when state = 'pending'
      then greatest(0, extract(epoch from due_at - ${on.clock()})::float8 * 1000) end as "pauseMs" from deliveries where id = ${deliveryId}`,
    on,
  );
  // Nothing deletes a delivery that waits, so whoever asks for another has typed an id in the Temporal UI.
  return found ?? { state: 'failed', attempts: 0, error: null, answer: null, pauseMs: null };
}
