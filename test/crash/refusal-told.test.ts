import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { sql } from 'kysely';
import { stepOn } from '../support/lock.ts';
import { COMMIT, openProxy, through, type Proxy } from '../support/proxy.ts';
import { required, type Person } from '../support/stack.ts';
import { until } from '../support/until.ts';
import type { Program } from './program.ts';
import { openCrashStage, type CrashStage } from './stage.ts';
import { CrashTurn, mismatches } from './turn.ts';

/**
 * A person is told a refusal by an API that reads it in PostgreSQL, and the worker that made it is the only one that
 * does not know: the answer of its COMMIT is lost, or it is killed before its workflow task is answered. Then somebody
 * grants tokens, and the same run judges again. What was told stands (policy 13).
 */
let stage: CrashStage;
let admin: Person;
let worker: Program;
let wayToTemporal: Proxy;
let wayToPostgresql: Proxy;

interface Refusal {
  readonly status: number;
  /** Of the turn's row. */
  readonly code: string;
  readonly state: 'refused' | 'failed';
  prepare(turn: CrashTurn): Promise<void>;
  ask(turn: CrashTurn): ReturnType<Person['call']>;
  /** How often the API locks the account before the worker does. */
  readonly locks?: 1;
}

const send = ({ person, turnId, question }: CrashTurn) =>
  person.call('POST', '/api/chat/send', { turnId, message: question });
const retry = ({ person, turnId }: CrashTurn) => person.call('POST', `/api/chat/turns/${turnId}/retry`);

const REFUSALS: Record<string, Refusal> = {
  'a send refused for want of tokens': {
    status: 402,
    code: 'TOKEN_EXHAUSTED',
    state: 'refused',
    prepare: useUp,
    ask: send,
  },
  'a send refused because others hold the tokens': {
    status: 409,
    code: 'tokens_held',
    state: 'refused',
    async prepare({ person }) {
      await sql`update accounts set monthly_allowance_tokens = 2200 where user_id = ${person.userId}`.execute(
        stage.db.database.sql,
      );
      const other = new CrashTurn(stage, person, 'holds all');
      await other.askUpTo(3);
      other.reader.close();
    },
    ask: send,
  },
  'a retry refused for want of tokens': {
    status: 402,
    code: 'TOKEN_EXHAUSTED',
    state: 'failed',
    async prepare(turn) {
      turn.script({ status: 400 });
      expect((await send(turn)).status).toBe(502);
      await useUp(turn);
    },
    ask: retry,
    locks: 1,
  },
};

async function useUp({ person }: CrashTurn): Promise<void> {
  const usage = { userId: person.userId, usagePercent: 105 };
  expect((await person.call('POST', '/api/ai-usage/test-usage', usage)).status).toBe(200);
}

async function grant({ person: { userId } }: CrashTurn): Promise<void> {
  const gift = { tokens: 50_000, reason: 'between two judgements' };
  const headers = { 'idempotency-key': String(userId) };
  expect((await admin.call('POST', `/api/admin/users/${userId}/grants`, gift, headers)).status).toBe(201);
}

/** The run that refused is over, and the turn is as its person was told. Then asked again, by the control: it runs. */
async function expectItStands(turn: CrashTurn, { state, code, ask }: Refusal): Promise<void> {
  const calls = turn.calls;
  await turn
    .workflow()
    .result()
    .catch(() => {});
  expect(await end(turn)).toEqual({ state, code, debits: 0, liveHolds: 0 });
  expect(turn.calls).toBe(calls);
  expect((await ask(turn)).body).toMatchObject({ state: 'completed' });
  expect(await end(turn)).toEqual({ state: 'completed', code: null, debits: 1, liveHolds: 0 });
  expect(turn.calls).toBe(calls + 1);
}

async function end({ turnId }: CrashTurn) {
  const { rows } = await sql`select state, error_code as code,
      (select count(*)::int from ledger_entries where turn_id = t.id and kind = 'debit') as debits,
      (select count(*)::int from holds where turn_id = t.id and state = 'pending') as "liveHolds"
    from turns t where id = ${turnId}`.execute(stage.db.database.sql);
  return rows[0];
}

beforeAll(async () => {
  stage = await openCrashStage();
  [wayToTemporal, wayToPostgresql] = await Promise.all([
    openProxy(required('TEST_TEMPORAL_ADDRESS')),
    openProxy(stage.db.url),
  ]);
  [, worker] = await Promise.all([
    stage.start('api'),
    stage.start('worker', {
      TEMPORAL_ADDRESS: wayToTemporal.address,
      DATABASE_URL: through(wayToPostgresql, stage.db.url),
    }),
  ]);
  admin = await stage.person('admin');
});

afterAll(async () => {
  await stage?.close();
  await wayToTemporal?.close();
  await wayToPostgresql?.close();
});

describe('a refusal that was told stands, though tokens were granted before the same run judges again', () => {
  test.each(Object.entries(REFUSALS))('%s, the answer of whose COMMIT was lost', async (name, refusal) => {
    const turn = await CrashTurn.of(stage, name);
    await refusal.prepare(turn);
    const lost = wayToPostgresql.loseAnswerTo(COMMIT, refusal.code);
    const asking = refusal.ask(turn);
    await lost;
    const told = await asking;
    expect([told.status, told.body.code]).toEqual([refusal.status, refusal.code]);
    await grant(turn);
    await wayToPostgresql.heal();
    await expectItStands(turn, refusal);
  });

  test('all of these, whose worker was killed before its workflow task was answered', async () => {
    const prepared = await Promise.all(
      Object.entries(REFUSALS).map(async ([name, refusal]) => {
        const turn = await CrashTurn.of(stage, name);
        await refusal.prepare(turn);
        return { turn, refusal };
      }),
    );
    const bring = async ({ turn, refusal }: (typeof prepared)[number]) => {
      const lock = await turn.lockAccount();
      const asking = refusal.ask(turn);
      await until(() => lock.isWanted());
      return { turn, refusal, asking, lock };
    };
    // Nobody waits for a hold longer than 2 s, so all come to that last step together.
    const early = await Promise.all(prepared.filter(({ refusal }) => refusal.locks === 1).map(bring));
    const refused = await Promise.all(
      [
        early.map(async (one) => ({ ...one, lock: await stepOn(one.lock) })),
        prepared.filter(({ refusal }) => refusal.locks === undefined).map(bring),
      ].flat(),
    );
    wayToTemporal.stall();
    await Promise.all(refused.map(({ lock }) => lock.release()));
    for (const { asking, refusal } of refused) {
      const told = await asking;
      expect([told.status, told.body.code]).toEqual([refusal.status, refusal.code]);
    }
    await worker.kill();
    await wayToTemporal.cut();
    await Promise.all(refused.map(({ turn }) => grant(turn)));
    await stage.start('worker');
    await Promise.all(refused.map(({ turn, refusal }) => expectItStands(turn, refusal)));
  });

  test('every counter is equal to its ledger', async () => {
    expect(await mismatches(stage)).toBe(0);
  });
});
