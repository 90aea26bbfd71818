import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from '@temporalio/worker';
import { bundleWorkflows } from '../../worker/bundle.ts';
import type { RunningWorker } from '../../worker/main.ts';
import { startTestStack, type TestStack } from '../support/stack.ts';
import { ANSWER, answered, changedWorkflows, listed, running } from './stage.ts';

const root = join(import.meta.dirname, '../..');
const folder = mkdtempSync(join(tmpdir(), 'turnkeeper-history-'));
let stack: TestStack;
let worker: RunningWorker | undefined;

beforeAll(async () => {
  stack = await startTestStack({}, { works: false });
  stack.model.always(ANSWER);
});
afterEach(() => worker?.close());
afterAll(async () => {
  await stack.close();
  rmSync(folder, { recursive: true, force: true });
});

describe('turnkeeper history', () => {
  test('check replays open and closed runs of the running system; record writes one that replays', async () => {
    worker = await stack.startWorker();
    const person = await stack.person();
    const turn = await answered(stack, person);
    const { turn: open, gate } = await running(stack, person, 3);
    await listed(stack, `UserId = "${person.userId}" AND TaskQueue = "${stack.taskQueuePrefix}turns"`, 2);
    // Waits until it is also listed as closed, because the server's lists may be a moment old.
    await listed(
      stack,
      `UserId = "${person.userId}" AND TaskQueue = "${stack.taskQueuePrefix}turns" AND ExecutionStatus = "Running"`,
      1,
    );

    // The default lists every running workflow, even a system schedule's that fires just now. The turns are counted by
    // their type.
    const checks = await Promise.all(
      [
        [],
        ['--query', 'WorkflowType = "chatTurn" AND ExecutionStatus = "Running"'],
        ['--query', 'WorkflowType = "chatTurn"'],
        ['--query', 'WorkflowType = "chatTurn"', '--limit', '1'],
      ].map((options) => turnkeeper('history', 'check', ...options, '--json')),
    );
    expect(checks).toMatchObject([
      { code: 0, output: { query: expect.stringContaining('(ExecutionStatus = "Running")'), broken: [] } },
      { code: 0, output: { checked: 1, broken: [] } },
      { code: 0, output: { checked: 2, broken: [] } },
      { code: 0, output: { checked: 1 } },
    ]);

    const file = join(folder, 'turn.json');
    const recorded = await turnkeeper('history', 'record', turn.turnId, '--out', file, '--json');
    expect(recorded).toMatchObject({
      code: 0,
      output: { file, workflowId: turn.workflowId, events: (await turn.events()).length },
    });
    const text = readFileSync(file, 'utf8');
    expect(text).not.toContain(Buffer.from(turn.message).toString('base64').slice(0, 16));
    await Worker.runReplayHistory({ workflowBundle: await bundleWorkflows() }, JSON.parse(text), turn.workflowId);

    gate.open();
    await open.ended();
  });

  test('check names the runs that other code wrote, and ends with 2', async () => {
    worker = await stack.startWorker({ workflowBundle: await changedWorkflows() });
    const person = await stack.person();
    const turn = await answered(stack, person);
    const query = `UserId = "${person.userId}"`;
    await listed(stack, `${query} AND TaskQueue = "${stack.taskQueuePrefix}turns"`, 1);
    const { runId } = await turn.handle().describe();
    expect(await turnkeeper('history', 'check', '--query', query, '--json')).toMatchObject({
      code: 2,
      output: {
        checked: 1,
        broken: [{ workflowId: turn.workflowId, runId, reason: expect.stringContaining('Nondeterminism') }],
      },
    });
  });

  test('of what there is not: one sentence, exit code 1', async () => {
    expect(
      await Promise.all([
        turnkeeper('history', 'record', 'nonsense'),
        turnkeeper('history', 'check', '--limit', '0'),
        turnkeeper('history', 'check', '--query', 'UserId = "none"', '--json'),
      ]),
    ).toMatchObject([
      { code: 1, errors: 'turnkeeper: There is no turn nonsense.\n' },
      { code: 1 },
      { code: 0, output: { checked: 0, broken: [] } },
    ]);
  });
});

/** Runs the command as a person does, on this stack's services. */
function turnkeeper(...args: string[]): Promise<{ code: number; output: unknown; errors: string }> {
  const env = {
    ...process.env,
    NODE_OPTIONS: '',
    DATABASE_URL: stack.db.url,
    TEMPORAL_ADDRESS: process.env['TEST_TEMPORAL_ADDRESS'],
    TASK_QUEUE_PREFIX: stack.taskQueuePrefix,
  };
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      ['--disable-warning=ExperimentalWarning', 'cli/main.ts', ...args],
      { cwd: root, env },
      (error, stdout, errors) => {
        resolve({
          code: error === null ? 0 : Number(error.code),
          output: stdout === '' ? null : JSON.parse(stdout),
          errors,
        });
      },
    );
  });
}
