import { randomUUID } from 'node:crypto';
import { sql } from 'kysely';
import type { Database } from '../db/database.ts';
import { reserveTurn } from '../db/turns/reserve.ts';
import { settleTurn } from '../db/turns/settle.ts';
import type { PricedModel } from '../domain/model.ts';
import type { Usage } from '../domain/usage.ts';

/** What every turn of the bench uses: a debit of 50 tokens. */
export const ANSWER = { promptTokens: 20, cachedTokens: 0, completionTokens: 30 } as const satisfies Omit<
  Usage,
  'reasoningTokens'
>;

/** A way to keep the ledger: the two transactions of a turn that move money. */
export interface LedgerForm {
  /** @returns the hold; null when there is no room. */
  hold(turn: { turnId: string; accountId: number; runId: string }): Promise<string | null>;
  settle(turn: { turnId: string; accountId: number; holdId: string; answer: typeof ANSWER }): Promise<void>;
  close(): Promise<void>;
}

/** The real path: the functions that the workflow's activities call. */
export function realForm(database: Database, model: PricedModel): LedgerForm {
  const context = { findModel: () => model, countTokens: (text: string) => text.length };
  return {
    async hold({ turnId, runId }) {
      const reserved = await reserveTurn(database, turnId, { cancelled: false, isReset: false }, { ...context, runId });
      return reserved.kind === 'held' ? reserved.holdId : null;
    },
    async settle({ turnId, answer }) {
      await settleTurn(database, {
        turnId,
        answer: { ...answer, attempt: 1, outcome: 'completed', estimated: false },
      });
    },
    close: async () => {},
  };
}

export interface Pairs {
  readonly seconds: number;
  readonly settled: number;
  readonly refused: number;
  readonly holdMs: readonly number[];
  readonly settleMs: readonly number[];
}

/**
 * `callers` at once take turn after turn: hold, store an answer, settle. Storing is one statement, the same for both
 * forms, and counts in no latency, because the model's call lies there.
 */
export async function runPairs(
  database: Database,
  form: LedgerForm,
  { callers, turns }: { callers: number; turns: readonly { turnId: string; accountId: number }[] },
): Promise<Pairs> {
  const holdMs: number[] = [];
  const settleMs: number[] = [];
  let [begun, refused] = [0, 0];
  const caller = async () => {
    for (let turn = turns[begun++]; turn !== undefined; turn = turns[begun++]) {
      const runId = randomUUID();
      let from = performance.now();
      const holdId = await form.hold({ ...turn, runId });
      holdMs.push(performance.now() - from);
      if (holdId === null) {
        refused += 1;
        continue;
      }
      await storeAnswer(database, turn.turnId, holdId, runId);
      from = performance.now();
      await form.settle({ ...turn, holdId, answer: ANSWER });
      settleMs.push(performance.now() - from);
    }
  };
  const began = performance.now();
  await Promise.all(Array.from({ length: callers }, caller));
  return { seconds: (performance.now() - began) / 1_000, settled: settleMs.length, refused, holdMs, settleMs };
}

/** Stores the answer without the infinite date that the program writes, because MikroORM cannot read it. */
async function storeAnswer(database: Database, turnId: string, holdId: string, runId: string): Promise<void> {
  await sql`with opened as (
      insert into attempts (turn_id, number, run_id, hold_id, state, prompt_tokens, cached_tokens, completion_tokens, reasoning_tokens, estimated, ended_at)
      values (${turnId}, 1, ${runId}, ${holdId}, 'answered', ${ANSWER.promptTokens}, 0, ${ANSWER.completionTokens}, 0, false, now())
    ), renewed as (
      update holds set expires_at = '9999-12-31' where id = ${holdId}
    )
    update turns set state = 'running', attempt = 1, answer = 'an answer', answer_attempt = 1, prompt_tokens = ${ANSWER.promptTokens},
      completion_tokens = ${ANSWER.completionTokens}, estimated = false, touched_at = now() where id = ${turnId}`.execute(
    database.sql,
  );
}

/** Makes accepted turns, each in a conversation of its own, of the accounts one after the other. */
export async function acceptTurns(
  database: Database,
  { accounts, count, model }: { accounts: readonly number[]; count: number; model: string },
): Promise<{ turnId: string; accountId: number }[]> {
  const turns = Array.from({ length: count }, (_, i) => ({
    turnId: randomUUID(),
    accountId: accounts[i % accounts.length] ?? 0,
  }));
  await sql`with asked as (select * from jsonb_to_recordset(${JSON.stringify(turns)}::jsonb) as t("turnId" uuid, "accountId" bigint)), begun as (
      insert into conversations (id, user_id, last_sequence, listed_at) select "turnId", "accountId", 1, now() from asked
    )
    insert into turns (id, user_id, account_id, conversation_id, sequence, model, body_hash, question, question_tokens, encoding)
    select "turnId", "accountId", "accountId", "turnId", 1, ${model}, '', 'a question', 10, 'o200k_base' from asked`.execute(
    database.sql,
  );
  return turns;
}
