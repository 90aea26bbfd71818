import { sql } from 'kysely';
import type { HoldSize } from '../domain/admission.ts';
import type { Rate, RateVersion } from '../domain/model.ts';
import type { Instant } from '../domain/period.ts';
import { first, one, type Sql, type Tx } from './database.ts';

/** Tokens set aside before a model call. It moves once: pending → settled | released | expired. */
export interface Hold {
  readonly id: string;
  readonly turnId: string;
  readonly runId: string;
  readonly state: 'pending' | 'settled' | 'released' | 'expired';
  readonly tokens: number;
  readonly promptTokens: number;
  readonly outputLimit: number;
  readonly historyFrom: number | null;
  /** The version that this hold fixed: its debit is metered by it. */
  readonly rateId: number;
  readonly rate: Rate;
  /** Infinity once the answer is stored: it then waits for settle. */
  readonly expiresAt: Instant;
}

/** Sum of the account's live holds, without those of one turn; a hold past its expiry no longer counts, whoever notices first. */
export async function sumHeld(on: Sql, accountId: number, now: Instant, exceptTurnId: string | null): Promise<number> {
  const { tokens } = await one(sql<{ tokens: number }>`select coalesce(sum(tokens), 0)::float8 as tokens from holds
    where account_id = ${accountId} and state = 'pending' and expires_at > ${new Date(now)} and turn_id is distinct from ${exceptTurnId}::uuid`, on);
  return tokens;
}

export async function openHold(
  tx: Tx, hold: { accountId: number; turnId: string; runId: string; size: HoldSize; rate: RateVersion; expiresAt: Instant },
): Promise<Hold> {
  const { size, rate } = hold;
  return toHold(await one(sql<HoldRow>`
    insert into holds (account_id, turn_id, run_id, ordinal, tokens, prompt_tokens, output_limit, history_from,
      rate_id, rate_input, rate_cached_input, rate_output, expires_at)
    values (${hold.accountId}, ${hold.turnId}, ${hold.runId},
      (select count(*) + 1 from holds where turn_id = ${hold.turnId} and run_id = ${hold.runId}),
      ${size.tokens}, ${size.promptTokens}, ${size.outputLimit}, ${size.historyFrom},
      ${rate.id}, ${rate.input}, ${rate.cachedInput}, ${rate.output}, ${new Date(hold.expiresAt)})
    returning ${holdColumns}`, tx));
}

/** The turn's live claim on tokens, whichever run made it. */
export async function findPendingHold(on: Sql, turnId: string): Promise<Hold | null> {
  const row = await first(sql<HoldRow>`select ${holdColumns} from holds where turn_id = ${turnId} and state = 'pending'`, on);
  return row === null ? null : toHold(row);
}

/** Compare-and-set: only a pending hold moves. @returns whether this call moved it. */
export async function moveHold(tx: Tx, holdId: string, to: 'settled' | 'released' | 'expired'): Promise<boolean> {
  const moved = await sql`update holds set state = ${to}, ended_at = now() where id = ${holdId} and state = 'pending'`.execute(tx);
  return moved.numAffectedRows === 1n;
}

/** Each attempt renews the hold for as long as it may take; an answered turn's hold waits for settle (null). */
export async function renewHold(tx: Tx, holdId: string, expiresAt: Instant | null): Promise<void> {
  const until = expiresAt === null ? sql`'infinity'` : sql`${new Date(expiresAt)}`;
  await sql`update holds set expires_at = ${until} where id = ${holdId} and state = 'pending'`.execute(tx);
}

interface HoldRow extends Omit<Hold, 'rate'> {
  rateInput: number;
  rateCachedInput: number;
  rateOutput: number;
}

const holdColumns = sql.raw(`
  id, turn_id as "turnId", run_id as "runId", state, tokens::float8 as tokens, prompt_tokens as "promptTokens", output_limit as "outputLimit",
  history_from as "historyFrom", rate_id as "rateId", rate_input as "rateInput", rate_cached_input as "rateCachedInput", rate_output as "rateOutput",
  (extract(epoch from expires_at) * 1000)::float8 as "expiresAt"`);

function toHold({ rateInput, rateCachedInput, rateOutput, ...row }: HoldRow): Hold {
  return { ...row, rate: { input: rateInput, cachedInput: rateCachedInput, output: rateOutput } };
}
