import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { MockActivityEnvironment } from '@temporalio/testing';
import { sql } from 'kysely';
import type { ActivityDeps } from '../../activities/deps.ts';
import { createReconcileTurns } from '../../activities/reconcile-turns.ts';
import { isQuiet } from '../../db/turns/reconcile.ts';
import { createLog } from '../../platform/telemetry/log.ts';
import { connectTemporal } from '../../platform/temporal/connection.ts';
import { createTurnRuns } from '../../platform/temporal/turn-runs.ts';
import { Gate } from '../fake-model/scenario.ts';
import { readEvents, textOf } from '../support/events.ts';
import { openProxy } from '../support/proxy.ts';
import { required, startTestStack, type TestStack } from '../support/stack.ts';
import { until } from '../support/until.ts';
import { ANSWER, answered, modelCalls, newTurn, reconcile, running } from './stage.ts';

let stack: TestStack;

beforeAll(async () => {
  stack = await startTestStack();
  stack.model.always(ANSWER);
});
afterAll(() => stack.close());

const refusals = new Set<() => Promise<void>>();
afterEach(async () => {
  for (const allow of refusals) await allow();
});

/** Makes PostgreSQL accept only such rows, until the returned function is called or the test has ended. */
async function refuse(table: string, check: string): Promise<() => Promise<void>> {
  const { sql: database } = stack.db.database;
  const name = `only_such_${table}_for_now`;
  const allow = async () => {
    if (refusals.delete(allow))
      await sql.raw(`alter table ${table} drop constraint if exists ${name}`).execute(database);
  };
  refusals.add(allow);
  await sql.raw(`alter table ${table} add constraint ${name} check (${check}) not valid`).execute(database);
  return allow;
}

describe('cancelled in the Temporal UI', () => {
  test('after its first delta a turn is stopped, and what came is charged', async () => {
    const { turn, gate } = await running(stack, await stack.person(), 3);
    await readEvents(await turn.follow(), (events) => textOf(events) === '이 답은 처음 것입니다');
    await turn.handle().cancel();
    expect(await turn.ended()).toBe('COMPLETED');
    gate.open();
    const { body } = await turn.read();
    expect(body).toMatchObject({ state: 'stopped', content: '이 답은 처음 것입니다', usage: { estimated: true } });
    expect(await turn.books()).toEqual({ debits: 1, debited: body.usage.debitedTokens, liveHolds: 0 });
  });

  test('before its first delta a turn is stopped at no cost', async () => {
    const { turn, gate } = await running(stack, await stack.person(), 'request');
    await turn.handle().cancel();
    expect(await turn.ended()).toBe('COMPLETED');
    gate.open();
    expect((await turn.read()).body).toMatchObject({ state: 'stopped', content: '', usage: { debitedTokens: 0 } });
    expect(await turn.books()).toEqual({ debits: 0, debited: 0, liveHolds: 0 });
  });

  test('before a worker took it a turn is stopped at no cost, and the model is not asked', async () => {
    const idle = await startTestStack({}, { works: false });
    try {
      const turn = newTurn(idle, await idle.person());
      const sending = turn.send();
      await turn.started();
      await turn.handle().cancel();
      await idle.startWorker();
      expect((await sending).body).toMatchObject({ state: 'stopped', content: '', usage: { debitedTokens: 0 } });
      expect(await turn.ended()).toBe('COMPLETED');
      expect(await turn.books()).toEqual({ debits: 0, debited: 0, liveHolds: 0 });
      expect(idle.model.requests).toHaveLength(0);
    } finally {
      await idle.close();
    }
  });

  test('once it is answered a turn is what it was', async () => {
    const turn = await answered(stack, await stack.person());
    const before = await turn.read();
    await turn
      .handle()
      .cancel()
      .catch(() => {});
    expect((await turn.read()).body).toEqual(before.body);
    expect(await turn.ended()).toBe('COMPLETED');
  });
});

describe('terminated in the Temporal UI', () => {
  test('a turn is failed as interrupted by reconcile, at no cost, and runs when it is sent again', async () => {
    const { turn, gate } = await running(stack, await stack.person(), 3);
    await turn.handle().terminate('test');
    expect(await turn.ended()).toBe('TERMINATED');
    await reconciledTo(() => turn.read().then(({ body }) => body.state), 'failed');
    gate.open();
    expect((await turn.read()).body).toMatchObject({
      state: 'failed',
      error: { code: 'interrupted', retryable: true },
    });
    expect(await turn.books()).toEqual({ debits: 0, debited: 0, liveHolds: 0 });
    expect((await turn.retry()).body).toMatchObject({ state: 'completed', content: ANSWER.chunks.join('') });
    expect(await turn.books()).toMatchObject({ debits: 1, liveHolds: 0 });
    expect(modelCalls(turn)).toBe(2);
  });

  test('a turn whose stop was asked for ends stopped', async () => {
    const { turn, gate } = await running(stack, await stack.person(), 'request');
    await sql`update turns set stop_requested_at = now() where id = ${turn.turnId}`.execute(stack.db.database.sql);
    await turn.handle().terminate('test');
    await reconciledTo(() => turn.read().then(({ body }) => body.state), 'stopped');
    gate.open();
    expect(await turn.books()).toEqual({ debits: 0, debited: 0, liveHolds: 0 });
  });

  test('a turn that cannot be mended does not keep reconcile from a later one, is counted, and is mended when it can be', async () => {
    const person = await stack.person();
    const [spoilt, later] = [await running(stack, person, 3), await running(stack, person, 3)];
    const allow = await refuse('turns', `id <> '${spoilt.turn.turnId}' or state <> 'failed'`);
    for (const { turn } of [spoilt, later]) {
      await turn.handle().terminate('test');
      await turn.ended();
    }
    await reconciledTo(() => later.turn.read().then(({ body }) => body.state), 'failed');
    expect(await reconcile(stack)).toMatchObject({ settled: 0, started: 0, interrupted: 0, failed: 1 });
    await allow();
    expect((await spoilt.turn.books()).liveHolds).toBe(1);
    expect(await reconcile(stack)).toMatchObject({ interrupted: 1, failed: 0 });
    for (const { turn, gate } of [spoilt, later]) {
      gate.open();
      expect((await turn.read()).body).toMatchObject({ state: 'failed', error: { code: 'interrupted' } });
      expect(await turn.books()).toEqual({ debits: 0, debited: 0, liveHolds: 0 });
    }
  });

  test('with Temporal away reconcile fails as a round, and takes no turn for one that cannot be mended', async () => {
    const turns = [await running(stack, await stack.person(), 3), await running(stack, await stack.person(), 3)];
    for (const { turn } of turns) {
      await turn.handle().terminate('test');
      await turn.ended();
    }
    await until(async () =>
      (await Promise.all(turns.map(({ turn }) => isQuiet(stack.db.database, turn.turnId, 1_000)))).every(
        (quiet) => quiet,
      ),
    );
    const way = await openProxy(required('TEST_TEMPORAL_ADDRESS'));
    const temporal = await connectTemporal({ address: way.address, namespace: 'default', codec: null, env: {} });
    try {
      const { database, metrics } = { database: stack.db.database, metrics: stack.metrics };
      const runs = createTurnRuns(temporal, { taskQueuePrefix: stack.taskQueuePrefix, eager: false });
      const round = createReconcileTurns({
        database,
        metrics,
        runs,
        log: createLog({ name: 'test', level: 'silent' }),
        reconcile: { quietMs: 1_000 },
      } as unknown as ActivityDeps);
      way.stall();
      await expect(new MockActivityEnvironment().run(round)).rejects.toThrow('no answer within');
    } finally {
      await way.cut();
      await temporal.close();
      await way.close();
    }
    expect(await reconcile(stack)).toMatchObject({ interrupted: 2, failed: 0 });
    for (const { gate } of turns) gate.open();
  });

  test('a turn that moves between reconcile’s list and its look keeps its run, however long it was quiet before', async () => {
    const { turn, gate } = await running(stack, await stack.person(), 3);
    const { database } = stack.db;
    const touch = (ago: string) =>
      sql`update turns set touched_at = now() - ${ago}::interval where id = ${turn.turnId}`.execute(database.sql);
    await touch('1 day');
    const round = createReconcileTurns({
      database,
      metrics: stack.metrics,
      log: createLog({ name: 'test', level: 'silent' }),
      reconcile: { quietMs: 1_000 },
      runs: {
        ...stack.runs,
        async findOpen(wanted: Parameters<typeof stack.runs.findOpen>[0]) {
          const run = await stack.runs.findOpen(wanted);
          await touch('0');
          return run;
        },
      },
    } as unknown as ActivityDeps);
    expect(await new MockActivityEnvironment().run(round)).toMatchObject({ interrupted: 0, failed: 0 });
    gate.open();
    expect(await turn.ended()).toBe('COMPLETED');
    expect(await turn.books()).toMatchObject({ debits: 1, liveHolds: 0 });
  });

  test('between its answer and its debit a turn is settled by reconcile, once', async () => {
    const { database } = stack.db;
    const allow = await refuse('ledger_entries', "kind <> 'debit'");
    const turn = newTurn(stack, await stack.person());
    await turn.send({}, { prefer: 'respond-async' });
    await until(
      async () =>
        (await sql`select 1 from turns where id = ${turn.turnId} and answer_attempt = 1`.execute(database.sql)).rows
          .length === 1,
    );
    await turn.handle().terminate('test');
    await allow();
    await reconciledTo(() => turn.read().then(({ body }) => body.state), 'completed');
    expect(await turn.books()).toMatchObject({ debits: 1, liveHolds: 0 });
    expect(modelCalls(turn)).toBe(1);
  });

  /** Reconcile leaves a turn alone until it has been quiet for a second here. */
  function reconciledTo(read: () => Promise<string>, state: string): Promise<void> {
    return until(async () => {
      await reconcile(stack);
      return (await read()) === state;
    });
  }
});

describe('the history', () => {
  test('of an answer of 2,000 pieces has 13 events, like any other that arms no schedule', async () => {
    const person = await stack.person();
    // The first turn of a period arms its reset.
    await answered(stack, person);
    const turn = newTurn(stack, person);
    stack.model.next({ chunks: { count: 2_000, text: ' 토큰' } });
    expect((await turn.send({ maxOutputTokens: 8_192 })).body.content).toHaveLength(6_000);
    expect(await turn.ended()).toBe('COMPLETED');
    expect(await turn.events()).toHaveLength(13);
  });

  test('of a turn whose every attempt fails has 15 events at most', async () => {
    const turn = newTurn(stack, await stack.person());
    for (let i = 0; i < 4; i++) stack.model.next({ status: 503, headers: { 'retry-after-ms': '1' } });
    expect((await turn.send()).status).toBe(502);
    expect(await turn.ended()).toBe('FAILED');
    expect(modelCalls(turn)).toBe(4);
    expect((await turn.events()).length).toBeLessThanOrEqual(15);
  });

  // It takes some 10 s: a local step is tried that long before it gives way.
  test('stays bounded while PostgreSQL refuses every debit and every failure, and the turns end when it no longer does', async () => {
    const allowing = [await refuse('ledger_entries', "kind <> 'debit'"), await refuse('turns', "state <> 'failed'")];
    const [debited, failing] = [newTurn(stack, await stack.person()), newTurn(stack, await stack.person())];
    const gate = new Gate('request');
    stack.model.next({ status: 401, gate });
    const sendings = [failing.send()];
    await gate.reached;
    sendings.push(debited.send());
    gate.open();
    await debited.started();
    await Promise.all([debited.scheduled('settleTurn'), failing.scheduled('releaseTurn')]);
    for (const allow of allowing) await allow();
    expect(await Promise.all([debited.ended(), failing.ended()])).toEqual(['COMPLETED', 'FAILED']);
    // Three events of a workflow task that goes on, twice; the regular activity and its task; and six for a schedule.
    for (const turn of [debited, failing]) expect((await turn.events()).length).toBeLessThanOrEqual(31);
    expect((await Promise.all(sendings)).map(({ status }) => status)).toEqual([502, 200]);
    expect([await debited.books(), await failing.books()]).toMatchObject([
      { debits: 1, liveHolds: 0 },
      { debits: 0, liveHolds: 0 },
    ]);
  });
});
