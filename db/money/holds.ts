import { sql, type RawBuilder } from 'kysely';
import { v7 as uuidv7 } from 'uuid';
import type { HoldSize } from '../../domain/admission.ts';
import type { Rate, RateVersion } from '../../domain/model.ts';
import { columnsOf, type RowOf } from '../columns.ts';
import { first, type Sql, type Tx } from '../database.ts';
import { Hold as HoldEntity } from '../entities/hold.ts';

/** Tokens set aside before a model call. A hold moves once: pending → settled | released | expired. */
export interface Hold {
  readonly id: string;
  readonly turnId: string;
  readonly runId: string;
  readonly state: 'pending' | 'settled' | 'released' | 'expired';
  readonly tokens: number;
  readonly promptTokens: number;
  readonly outputLimit: number;
  readonly historyFrom: number | null;
  readonly filesFrom: number | null;
  /** The rate version that this hold fixed. Its debit is metered by it. */
  readonly rateId: number;
  readonly rate: Rate;
  /** Whether it counted when it was read: its expiry was to come, or its answer is stored and waits for settle. */
  readonly isLive: boolean;
}

/**
 * Writes the hold without waiting for PostgreSQL: the commit reports a row that was refused.
 * @param hold.forMs it expires so long after it is written.
 */
export function openHold(
  tx: Tx,
  hold: { accountId: number; turnId: string; runId: string; size: HoldSize; rate: RateVersion; forMs: number },
): Hold {
  const { accountId, turnId, runId, size, forMs } = hold;
  const { id: rateId, input, cachedInput, output } = hold.rate;
  const id = uuidv7();
  tx.write(sql`
    insert into holds (id, account_id, turn_id, run_id, ordinal, tokens, prompt_tokens, output_limit, history_from, files_from,
      rate_id, rate_input, rate_cached_input, rate_output, expires_at)
    values (${id}, ${accountId}, ${turnId}, ${runId}, (select count(*) + 1 from holds where turn_id = ${turnId} and run_id = ${runId}),
      ${size.tokens}, ${size.promptTokens}, ${size.outputLimit}, ${size.historyFrom}, ${size.filesFrom}, ${rateId}, ${input}, ${cachedInput}, ${output}, ${after(tx, forMs)})`);
  return { id, turnId, runId, state: 'pending', ...size, rateId, rate: { input, cachedInput, output }, isLive: true };
}

/** The turn's pending hold, whichever run made it. */
export async function findPendingHold(on: Sql, turnId: string): Promise<Hold | null> {
  const row = await first(
    sql<HoldRow>`select ${holdColumns}, h.expires_at > ${on.clock()} as "isLive" from holds h where turn_id = ${turnId} and state = 'pending'`,
    on,
  );
  return row === null ? null : toHold(row);
}

/** The turn's pending hold, if it is the one under which this attempt was opened. */
export async function findPendingHoldOf(
  on: Sql,
  { turnId, attempt }: { turnId: string; attempt: number },
): Promise<Hold | null> {
  const row = await first(
    sql<HoldRow>`select ${holdColumns}, h.expires_at > ${on.clock()} as "isLive" from holds h
    where turn_id = ${turnId} and state = 'pending' and id = (select hold_id from attempts where turn_id = ${turnId} and number = ${attempt})`,
    on,
  );
  return row === null ? null : toHold(row);
}

/** Only a pending hold moves. The holder of the account's lock knows whether it is pending. */
export function moveHold(tx: Tx, holdId: string, to: 'settled' | 'released' | 'expired'): void {
  tx.write(movedHold(holdId, to));
}

/** The same, for a statement that writes more. */
export function movedHold(holdId: string, to: 'settled' | 'released' | 'expired'): RawBuilder<unknown> {
  return sql`update holds set state = ${to}, ended_at = now() where id = ${holdId} and state = 'pending'`;
}

/**
 * Each attempt renews the hold for as long as the attempt may take, from now. Null: the turn is answered, and its hold
 * waits for settle.
 */
export function renewHold(tx: Tx, holdId: string, forMs: number | null): void {
  const until = forMs === null ? sql`'infinity'` : after(tx, forMs);
  tx.write(sql`update holds set expires_at = ${until} where id = ${holdId} and state = 'pending'`);
}

function after(on: Sql, ms: number): RawBuilder<Date> {
  return sql`${on.clock()} + ${ms} * interval '1 millisecond'`;
}

const holdColumns = columnsOf(HoldEntity, 'h', [
  'id',
  'turnId',
  'runId',
  'state',
  'tokens',
  'promptTokens',
  'outputLimit',
  'historyFrom',
  'filesFrom',
  'rateId',
  'rateInput',
  'rateCachedInput',
  'rateOutput',
]);
type HoldRow = RowOf<typeof holdColumns> & Pick<Hold, 'isLive'>;

function toHold({ rateInput, rateCachedInput, rateOutput, ...row }: HoldRow): Hold {
  return { ...row, rate: { input: rateInput, cachedInput: rateCachedInput, output: rateOutput } };
}
