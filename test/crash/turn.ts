import { randomUUID } from 'node:crypto';
import { WorkflowNotFoundError } from '@temporalio/client';
import { sql } from 'kysely';
import { proveBooks } from '../../db/money/proof.ts';
import { turnWorkflowId } from '../../workflows/contract/ids.ts';
import { only } from '../db/fixture.ts';
import { Gate, type Point, type Scenario } from '../fake-model/scenario.ts';
import type { SeenEvent } from '../support/events.ts';
import type { RowLock } from '../support/lock.ts';
import type { Person } from '../support/stack.ts';
import { until } from '../support/until.ts';
import { LivingReader } from './reader.ts';
import type { CrashStage } from './stage.ts';

export const ANSWER = ['안녕', '하세요', '. 무엇을 ', '도와드릴까요?'];

/** What PostgreSQL, the API, Temporal and the provider know of a turn in the end. */
export interface TurnFacts {
  readonly state: string;
  readonly content: string;
  /** The tokens of each debit. */
  readonly debits: readonly number[];
  readonly debitedTokens: number;
  readonly liveHolds: number;
  /** The answers that the conversation shows. */
  readonly answers: readonly string[];
  readonly calls: number;
  readonly workflow: string;
}

/** One turn of an account of its own, and the reader who follows it through everything. */
export class CrashTurn {
  readonly stage: CrashStage;
  readonly person: Person;
  readonly turnId = randomUUID();
  /** A unique question, so that its model calls can be told apart. */
  readonly question: string;
  readonly #readers: LivingReader[] = [];

  constructor(stage: CrashStage, person: Person, name: string) {
    this.stage = stage;
    this.person = person;
    this.question = `${name} ${this.turnId}`;
  }

  static async of(stage: CrashStage, name: string): Promise<CrashTurn> {
    return new CrashTurn(stage, await stage.person(), name);
  }

  /** The model's answers to its calls, one after the other; later calls get the whole answer. */
  script(...scenarios: readonly Scenario[]): this {
    this.stage.model.nextFor(this.question, ...scenarios.map((scenario) => ({ chunks: ANSWER, ...scenario })));
    return this;
  }

  /** Sends the question; its first call is held at a point of the answer. */
  async askUpTo(point: Point): Promise<Gate> {
    const gate = this.gate(point);
    this.ask();
    await gate.reached;
    return gate;
  }

  /** Holds its next call at that point. */
  gate(point: Point): Gate {
    const gate = new Gate(point);
    this.script({ gate });
    return gate;
  }

  /** Sends the question; the reader stays until the ending. */
  ask(): LivingReader {
    return this.#follow((headers, signal) =>
      this.person.raw('POST', '/api/chat/send', { turnId: this.turnId, message: this.question }, headers, signal),
    );
  }

  /** The person's retry, read as a stream. */
  retry(): LivingReader {
    return this.#follow((headers, signal) =>
      this.person.raw('POST', `/api/chat/turns/${this.turnId}/retry`, undefined, headers, signal),
    );
  }

  /** The person comes back and watches, without sending anything again. */
  lookOn(): LivingReader {
    return this.#follow((headers, signal) =>
      this.person.raw('GET', `/api/chat/turns/${this.turnId}/events`, undefined, headers, signal),
    );
  }

  #follow(ask: (headers: Record<string, string>, signal: AbortSignal) => Promise<Response>): LivingReader {
    const reader = new LivingReader(this.person, this.turnId, ask);
    this.#readers.push(reader);
    return reader;
  }

  /** The newest reader. */
  get reader(): LivingReader {
    const reader = this.#readers.at(-1);
    if (reader === undefined) throw new Error('nobody reads this turn');
    return reader;
  }

  get events(): readonly SeenEvent[] {
    return this.reader.events;
  }

  stop() {
    return this.person.call('POST', `/api/chat/turns/${this.turnId}/stop`);
  }

  lockAccount(): Promise<RowLock> {
    return this.stage.lockAccount(this.person);
  }

  workflow() {
    return this.stage.temporal.client.workflow.getHandle(turnWorkflowId(this.person.userId, this.turnId));
  }

  /** Whether Temporal knows the turn. */
  isStarted(): Promise<boolean> {
    return this.workflow()
      .describe()
      .then(
        () => true,
        (error: unknown) => {
          if (error instanceof WorkflowNotFoundError) return false;
          throw error;
        },
      );
  }

  get calls(): number {
    return this.stage.model.requests.filter(({ body }) => body.messages.at(-1)?.content === this.question).length;
  }

  /** The turn's row now. */
  row() {
    return only(
      this.stage.db.database.sql,
      sql<{ state: string; answerAttempt: number | null; attempt: number; liveHolds: number; attempts: string[] }>`
      select state, answer_attempt as "answerAttempt", attempt,
        (select count(*)::int from holds where turn_id = t.id and state = 'pending') as "liveHolds",
        (select coalesce(array_agg(a.state order by number), '{}') from attempts a where turn_id = t.id) as attempts
      from turns t where id = ${this.turnId}`,
    );
  }

  async becomes(isSo: (row: Awaited<ReturnType<CrashTurn['row']>>) => boolean): Promise<void> {
    await until(async () => isSo(await this.row()));
  }

  /** Waits until the reader and the workflow have ended. */
  async facts(): Promise<TurnFacts> {
    await this.reader.ended;
    await this.workflow()
      .result()
      .catch(() => {});
    const on = this.stage.db.database.sql;
    const { state, content, debitedTokens, conversationId, liveHolds } = await only(
      on,
      sql<{
        state: string;
        content: string;
        debitedTokens: number;
        conversationId: string;
        liveHolds: number;
      }>`select state, coalesce(answer, '') as content, coalesce(debited_tokens, 0)::int as "debitedTokens", conversation_id as "conversationId",
        (select count(*)::int from holds where turn_id = t.id and state = 'pending') as "liveHolds" from turns t where id = ${this.turnId}`,
    );
    const { rows: debits } = await sql<{
      tokens: number;
    }>`select tokens::int as tokens from ledger_entries where turn_id = ${this.turnId} and kind = 'debit'`.execute(on);
    const { body } = await this.person.call('GET', `/api/conversations/${conversationId}/messages`);
    const answers = (body.items as { role: string; content: string }[]).filter(
      ({ role, content: text }) => role === 'assistant' && text !== '',
    );
    return {
      state,
      content,
      debitedTokens,
      liveHolds,
      calls: this.calls,
      debits: debits.map(({ tokens }) => tokens),
      answers: answers.map(({ content: text }) => text),
      workflow: (await this.workflow().describe()).status.name,
    };
  }
}

export interface Expected {
  readonly state: 'completed' | 'stopped' | 'failed';
  readonly content: string;
  readonly isCharged: boolean;
  readonly calls: number;
}

/** Faults in a turn's end, as sentences. */
export function moneyFaultsOf(facts: TurnFacts, expected: Expected): string[] {
  const faults: string[] = [];
  const check = (isRight: boolean, fault: string) => {
    if (!isRight) faults.push(fault);
  };
  check(facts.state === expected.state, `it is ${facts.state}`);
  check(facts.content === expected.content, `its answer is ${JSON.stringify(facts.content)}`);
  check(facts.debits.length === (expected.isCharged ? 1 : 0), `${facts.debits.length} debits`);
  check(
    facts.debits.reduce((sum, tokens) => sum + tokens, 0) === facts.debitedTokens,
    `it says ${facts.debitedTokens} tokens were debited`,
  );
  check(facts.liveHolds === 0, `${facts.liveHolds} live holds`);
  check(facts.answers.join('|') === expected.content, `the conversation shows ${facts.answers.length} answers`);
  check(facts.calls === expected.calls, `the model was called ${facts.calls} times`);
  check(facts.workflow === (expected.state === 'failed' ? 'FAILED' : 'COMPLETED'), `its workflow is ${facts.workflow}`);
  return faults;
}

/** Differences between counters and ledger of all people in the file; no crash may leave any. */
export async function mismatches(stage: CrashStage): Promise<number> {
  return (await proveBooks(stage.db.database)).mismatches;
}
