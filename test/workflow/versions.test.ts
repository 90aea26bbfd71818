import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { historyToJSON } from '@temporalio/common/lib/proto-utils.js';
import { sql } from 'kysely';
import { randomUUID } from 'node:crypto';
import { turnTimeoutMs } from '../../domain/attempt-limits.ts';
import type { ReconcileReport } from '../../workflows/contract/reconcile.ts';
import { only } from '../db/fixture.ts';
import { shapeOf, type RecordedHistory } from '../replay/recorded.ts';
import { startTestStack, type TestStack } from '../support/stack.ts';
import type { TestTurn } from '../support/turn.ts';
import { until } from '../support/until.ts';
import { ANSWER, answered, changedWorkflows, failed, pointOf, reconcile, running, sent, temporalCli } from './stage.ts';

let stack: TestStack;
let deploymentName: string;

beforeEach(async () => {
  deploymentName = `turnkeeper-${randomUUID()}`;
});
afterEach(() => stack.close());

describe('a rolling deploy of workers with versions', () => {
  beforeEach(async () => {
    stack = await startTestStack({}, { works: false });
    stack.model.always(ANSWER);
  });

  test('ends an old turn on the build that began it, while new turns and retries run on the new build', async () => {
    const old = await startBuild('1');
    const person = await stack.person();
    const retried = await failed(stack, person);
    const { turn, gate } = await running(stack, person, 3);
    const another = await startBuild('2', await changedWorkflows());

    const fresh = await answered(stack, person);
    expect((await fresh.read()).body).toMatchObject({ state: 'completed' });
    expect([await buildsOf(fresh), await reservations(fresh)]).toEqual([['2'], 2]);
    expect((await retried.retry()).body).toMatchObject({ state: 'completed' });
    await retried.ended();
    expect([await buildsOf(retried), await reservations(retried)]).toEqual([['2'], 2]);

    gate.open();
    expect(await turn.ended()).toBe('COMPLETED');
    expect([await buildsOf(turn), await reservations(turn)]).toEqual([['1'], 1]);
    expect(await turn.books()).toMatchObject({ debits: 1, liveHolds: 0 });
    await old.close();
    await another.close();
  });

  test('a turn whose build is gone can be reset onto the builds of today', async () => {
    const old = await startBuild('1');
    const person = await stack.person();
    const turn = await failed(stack, person);
    const { runId, eventId } = await pointOf(turn, 'first');
    await old.close();
    await startBuild('2', await changedWorkflows());
    await temporalCli(
      stack,
      'workflow',
      'reset',
      'with-workflow-update-options',
      '--workflow-id',
      turn.workflowId,
      '--run-id',
      runId,
      '--event-id',
      String(eventId),
      '--reason',
      'its build is gone',
      '--versioning-override-behavior',
      'auto_upgrade',
    );
    expect(await turn.ended()).toBe('COMPLETED');
    expect((await turn.read()).body).toMatchObject({ state: 'completed' });
    expect(await buildsOf(turn)).toEqual(['2']);
  });

  test('a turn whose build has no worker any more is ended by reconcile beyond all its limits, and its conversation is free', async () => {
    const old = await startBuild('1');
    const person = await stack.person();
    const { turn, gate } = await running(stack, person, 3);
    const { conversationId } = (await turn.read()).body;
    await old.close();
    await startBuild('2', await changedWorkflows());
    await endedBeyondItsLimits(turn, { interrupted: 1 });
    gate.open();
    expect((await turn.read()).body).toMatchObject({
      state: 'failed',
      error: { code: 'interrupted', retryable: true },
    });
    expect(await turn.books()).toEqual({ debits: 0, debited: 0, liveHolds: 0 });
    const next = await sent(stack, person, ANSWER, { conversationId });
    expect((await next.read()).body).toMatchObject({ state: 'completed' });
  });

  test('without versions the same old turn meets the new code, which its history does not fit: its answer is settled by reconcile', async () => {
    const old = await stack.startWorker();
    const { turn, gate } = await running(stack, await stack.person(), 3);
    await old.close();
    await stack.startWorker({ workflowBundle: await changedWorkflows() });
    await until(async () =>
      (await turn.events()).some(
        ({ workflowTaskFailedEventAttributes }) =>
          workflowTaskFailedEventAttributes?.failure?.message?.includes('TMPRL1100') === true,
      ),
    );
    // Its model call needs no workflow code: the new worker makes it, and nobody takes up its answer.
    await until(async () => (await rowOf(turn)).isAnswered);
    await endedBeyondItsLimits(turn, { settled: 1 });
    gate.open();
    expect((await turn.read()).body).toMatchObject({ state: 'completed', content: ANSWER.chunks.join('') });
    expect(await turn.books()).toMatchObject({ debits: 1, liveHolds: 0 });
  });
});

/** It cannot move: reconcile leaves it alone within its limits, and then mends it like one whose workflow is gone. */
async function endedBeyondItsLimits(turn: TestTurn, mended: Partial<ReconcileReport>): Promise<void> {
  await quieten(turn, -60_000);
  expect(await reconcile(stack)).toMatchObject({ settled: 0, interrupted: 0, failed: 0 });
  expect((await turn.handle().describe()).status.name).toBe('RUNNING');
  await quieten(turn, 1_000);
  expect(await reconcile(stack)).toMatchObject({ settled: 0, interrupted: 0, failed: 0, ...mended });
  expect(await turn.ended()).toBe('TERMINATED');
}

/** As if nothing had touched it for all that its output limit allows, and so many milliseconds more. */
async function quieten(turn: TestTurn, beyondMs: number): Promise<void> {
  const quietMs = turnTimeoutMs((await rowOf(turn)).outputLimit) + beyondMs;
  await sql`update turns set touched_at = now() - ${quietMs} * interval '1 millisecond' where id = ${turn.turnId}`.execute(
    stack.db.database.sql,
  );
}

function rowOf({ turnId }: TestTurn) {
  return only(
    stack.db.database.sql,
    sql<{
      outputLimit: number;
      isAnswered: boolean;
    }>`select output_limit as "outputLimit", answer_attempt is not null as "isAnswered" from turns where id = ${turnId}`,
  );
}

test('one process with a version starts turns eagerly, in the same 13 events', async () => {
  stack = await startTestStack({ TEMPORAL_DEPLOYMENT_NAME: deploymentName, TEMPORAL_WORKER_BUILD_ID: '1' });
  stack.model.always(ANSWER);
  await makeCurrent('1');
  const person = await stack.person();
  // The first turn of a period arms its reset.
  await answered(stack, person);
  const turn = await answered(stack, person);
  expect((await turn.read()).body).toMatchObject({ state: 'completed' });
  const events = await turn.events();
  expect([
    events.length,
    await buildsOf(turn),
    events[0]?.workflowExecutionStartedEventAttributes?.eagerExecutionAccepted,
  ]).toEqual([13, ['1'], true]);
});

/** Starts a worker of this build, which then gets all new workflows of the deployment. */
async function startBuild(buildId: string, workflowBundle?: { code: string }) {
  const worker = await stack.startWorker({
    version: { deploymentName, buildId },
    ...(workflowBundle === undefined ? {} : { workflowBundle }),
  });
  await makeCurrent(buildId);
  return worker;
}

/** Makes a build current as ops do. The CLI does not know the build until the worker's first poll has named it. */
async function makeCurrent(buildId: string): Promise<void> {
  await until(() =>
    temporalCli(
      stack,
      'worker',
      'deployment',
      'set-current-version',
      '--deployment-name',
      deploymentName,
      '--build-id',
      buildId,
      '--yes',
    ).then(
      () => true,
      () => false,
    ),
  );
}

/** The builds that worked on the turn's newest run. */
async function buildsOf(turn: TestTurn): Promise<string[]> {
  const builds = (await turn.events()).flatMap(
    ({ workflowTaskCompletedEventAttributes }) =>
      workflowTaskCompletedEventAttributes?.deploymentVersion?.buildId ?? [],
  );
  return [...new Set(builds)];
}

async function reservations(turn: TestTurn): Promise<number> {
  const history = JSON.parse(historyToJSON({ events: await turn.events() })) as RecordedHistory;
  return shapeOf(history).filter((command) => command.endsWith('reserveTurn')).length;
}
