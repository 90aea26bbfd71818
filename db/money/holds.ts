import { sql } from 'kysely';
import { v7 as uuidv7 } from 'uuid';
import type { HoldSize } from '../../domain/admission.ts';
import type { Rate, RateVersion } from '../../domain/model.ts';
import type { Instant } from '../../domain/period.ts';
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
  /** The rate version that this hold fixed. Its debit is metered by it. */
  readonly rateId: number;
  readonly rate: Rate;
  /** Infinity once the answer is stored, because the hold then waits for settle. */
  readonly expiresAt: Instant;
}

/** Writes the hold without waiting for PostgreSQL: the commit reports a row that was refused. */
export function openHold(
  tx: Tx,
  hold: { accountId: number; turnId: string; runId: string; size: HoldSize; rate: RateVersion; expiresAt: Instant },
): Hold {
  const { accountId, turnId, runId, size, expiresAt } = hold;
  const { id: rateId, input, cachedInput, output } = hold.rate;
  const id = uuidv7();
  tx.write(sql`
    insert into holds (id, account_id, turn_id, run_id, ordinal, tokens, prompt_tokens, output_limit, history_from,
      rate_id, rate_input, rate_cached_input, rate_output, expires_at)
    values (${id}, ${accountId}, ${turnId}, ${runId}, (select count(*) + 1 from holds where turn_id = ${turnId} and run_id = ${runId}),
      ${size.tokens}, ${size.promptTokens}, ${size.outputLimit}, ${size.historyFrom}, ${rateId}, ${input}, ${cachedInput}, ${output}, ${new Date(expiresAt)})`);
  return { id, turnId, runId, state: 'pending', ...size, rateId, rate: { input, cachedInput, output }, expiresAt };
}

/** The turn's pending hold, whichever run made it. */
export async function findPendingHold(on: Sql, turnId: string): Promise<Hold | null> {
  const row = await first(
    sql<HoldRow>`select ${holdColumns} from holds h where turn_id = ${turnId} and state = 'pending'`,
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
    sql<HoldRow>`select ${holdColumns} from holds h
    where turn_id = ${turnId} and state = 'pending' and id = (select hold_id from attempts where turn_id = ${turnId} and number = ${attempt})`,
    on,
  );
  return row === null ? null : toHold(row);
}

/** Only a pending hold moves. The holder of the account's lock knows whether it is pending. */
export function moveHold(tx: Tx, holdId: string, to: 'settled' | 'released' | 'expired'): void {
  tx.write(sql`update holds set state = ${to}, ended_at = now() where id = ${holdId} and state = 'pending'`);
}

/**
 * Each attempt renews the hold for as long as the attempt may take. Null: the turn is answered, and its hold waits for
 * settle.
 */
export function renewHold(tx: Tx, holdId: string, expiresAt: Instant | null): void {
  const until = expiresAt === null ? sql`'infinity'` : sql`${new Date(expiresAt)}`;
  tx.write(sql`update holds set expires_at = ${until} where id = ${holdId} and state = 'pending'`);
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
  'rateId',
  'rateInput',
  'rateCachedInput',
  'rateOutput',
  'expiresAt',
]);
type HoldRow = RowOf<typeof holdColumns>;

function toHold({ rateInput, rateCachedInput, rateOutput, ...row }: HoldRow): Hold {
  return { ...row, rate: { input: rateInput, cachedInput: rateCachedInput, output: rateOutput } };
}
