import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { promisify } from 'node:util';
import { findTemporal } from '../../scripts/services/temporal/cli.ts';
import { bundleWorkflows } from '../../worker/bundle.ts';
import { taskQueues, WORKFLOW_TYPES } from '../../workflows/contract/ids.ts';
import type { reconcile as reconcileWorkflow } from '../../workflows/reconcile.ts';
import type { ReconcileReport } from '../../workflows/contract/reconcile.ts';
import { Gate, type Point, type Scenario } from '../fake-model/scenario.ts';
import { readEvents, textOf } from '../support/events.ts';
import type { Person, TestStack } from '../support/stack.ts';
import { TestTurn, type ResetPoint } from '../support/turn.ts';
import { until } from '../support/until.ts';

export const ANSWER = { chunks: ['안녕', '하세요', '. 무엇을 ', '도와드릴까요?'] };

/** A turn of this person, sent with a question of its own and brought to an ending. */
export async function answered(stack: TestStack, person: Person): Promise<TestTurn> {
  return sent(stack, person, ANSWER);
}

export async function failed(stack: TestStack, person: Person): Promise<TestTurn> {
  return sent(stack, person, { status: 400 });
}

export async function refused(stack: TestStack, person: Person): Promise<TestTurn> {
  await setUsage(person, 105);
  const turn = newTurn(stack, person);
  await turn.send();
  await turn.ended();
  await setUsage(person, 0);
  return turn;
}

export async function stopped(stack: TestStack, person: Person, at: Point): Promise<TestTurn> {
  const { turn, gate } = await running(stack, person, at);
  if (at !== 'request') await readEvents(await turn.follow(), (seen) => textOf(seen) !== '');
  await turn.stop();
  await turn.ended();
  gate.open();
  return turn;
}

/** A turn whose model call is held at `at`. */
export async function running(
  stack: TestStack,
  person: Person,
  at: Point,
  body: object = {},
): Promise<{ turn: TestTurn; gate: Gate }> {
  const turn = newTurn(stack, person, body);
  const gate = new Gate(at);
  stack.model.next({ chunks: ['이 답은 ', '처음 것입니다', '.'], gate });
  await turn.send({}, { prefer: 'respond-async' });
  await gate.reached;
  return { turn, gate };
}

export function newTurn(stack: TestStack, person: Person, body: object = {}): TestTurn {
  return new TestTurn(stack, person, { message: `질문 ${randomUUID()}`, ...body });
}

/** A turn that the model answered by the scenario, ended. */
export async function sent(stack: TestStack, person: Person, scenario: Scenario, body: object = {}): Promise<TestTurn> {
  const turn = newTurn(stack, person, body);
  stack.model.next(scenario);
  await turn.send();
  await turn.ended();
  return turn;
}

export async function setUsage(person: Person, usagePercent: number): Promise<void> {
  const { status, body } = await person.call('POST', '/api/ai-usage/test-usage', {
    userId: person.userId,
    usagePercent,
  });
  if (status !== 200) throw new Error(`the usage was not set: ${JSON.stringify(body)}`);
}

/**
 * The first or last complete workflow task of the turn's newest run. It waits for that task, because an answer may be
 * sent from within the first.
 */
export async function pointOf(turn: TestTurn, which: 'first' | 'last'): Promise<ResetPoint> {
  let point: ResetPoint | undefined;
  await until(async () => {
    point = (await turn.resetPoints()).at(which === 'first' ? 0 : -1);
    return point !== undefined;
  }, 10_000);
  if (point === undefined) throw new Error('no workflow task of the turn is complete');
  return point;
}

/** How often the model was asked this turn's question. */
export function modelCalls({ stack, message }: TestTurn): number {
  return stack.model.requests.filter(({ body }) => body.messages.at(-1)?.content === message).length;
}

/** Workflow code that reserves twice: harmless for the turn, but different from older histories. */
export async function changedWorkflows(): Promise<{ code: string }> {
  const { code } = await bundleWorkflows();
  const changed = code.replace(
    /local\.reserveTurn\((\{[^}]*\})\)/,
    'local.reserveTurn($1).then(() => local.reserveTurn($1))',
  );
  if (changed === code)
    throw new Error('the bundle no longer calls local.reserveTurn({…}) as tests of changed code expect');
  return { code: changed };
}

const run = promisify(execFile);

/**
 * Runs the official CLI, as ops do.
 * @returns what it printed; null for nothing.
 */
export async function temporalCli({ temporal }: TestStack, ...args: string[]): Promise<any> {
  const cli = await findTemporal(AbortSignal.timeout(60_000));
  const address = process.env['TEST_TEMPORAL_ADDRESS'];
  if (cli === null || address === undefined) throw new Error('the services of `npm test` run by the CLI');
  const { stdout } = await run(cli, [
    ...args,
    '--address',
    address,
    '--namespace',
    temporal.namespace,
    '--output',
    'json',
  ]);
  return stdout.trim() === '' ? null : JSON.parse(stdout);
}

/** Waits until the server's list, which queries read, shows so many. */
export function listed({ temporal: { client } }: TestStack, query: string, count: number): Promise<void> {
  return until(async () => (await client.workflow.count(query)).count === count);
}

/** @throws when an operation of the batch failed. */
export async function batchDone(
  { temporal: { connection, namespace } }: TestStack,
  jobId: string,
  count: number,
): Promise<void> {
  await until(async () => {
    const { completeOperationCount, failureOperationCount } = await connection.workflowService.describeBatchOperation({
      namespace,
      jobId,
    });
    if (Number(failureOperationCount) > 0)
      throw new Error(`${String(failureOperationCount)} operations of the batch failed`);
    return Number(completeOperationCount) === count;
  });
}

/** Runs reconcile once, to its end. */
export async function reconcile({ temporal: { client }, taskQueuePrefix }: TestStack): Promise<ReconcileReport> {
  return client.workflow.execute<typeof reconcileWorkflow>(WORKFLOW_TYPES.reconcile, {
    workflowId: `reconcile-${randomUUID()}`,
    taskQueue: taskQueues(taskQueuePrefix).background,
    args: [],
  });
}
