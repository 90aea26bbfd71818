import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { TURN_FAILURES } from '../../domain/errors.ts';
import { TURN_FAILURE_TYPES } from '../../workflows/contract/turn.ts';
import { RUNBOOK, SAVED_VIEWS, savedView } from '../support/runbook.ts';
import { startTestStack, type Person, type TestStack } from '../support/stack.ts';
import { until } from '../support/until.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
let stack: TestStack;
let admin: Person;
let person: Person;

beforeAll(async () => {
  stack = await startTestStack();
  [admin, person] = [await stack.person('admin'), await stack.person()];
  stack.model.next({ status: 401 });
  await person.call('POST', '/api/chat/send', { message: '안녕' });
  await person.call('POST', '/api/chat/send', { message: '안녕' });
});
afterAll(() => stack.close());

const count = async (query: string, queue: 'turns' | 'background' = 'turns') =>
  (await stack.temporal.client.workflow.count(`(${query}) AND TaskQueue = "${stack.taskQueuePrefix}${queue}"`)).count;

test('every saved query is one that the server understands', async () => {
  expect(SAVED_VIEWS.size).toBe(12);
  for (const query of SAVED_VIEWS.values()) await stack.temporal.client.workflow.count(query);
  await expect(stack.temporal.client.workflow.count('TurnMistake = "x"')).rejects.toThrow();
});

test('every view has a name under which the UI lets it be saved', () => {
  // The UI's rule (2.42): letters, digits, spaces, _ . and -, and neither of the last two at an end.
  for (const name of SAVED_VIEWS.keys()) expect(name).toMatch(/^(?![.-])[A-Za-z0-9 _.-]+(?<![.-])$/);
});

test('they find what they are for, and nothing else', async () => {
  const cause = savedView('failed turns by cause');
  await until(async () => (await count(savedView('failed turns'))) === 1);
  expect(await count(cause.replace('LlmUnavailable', 'LlmRejected'))).toBe(1);
  expect(await count(cause)).toBe(0);
  await until(async () => (await count(savedView('turns of one user').replace('"1"', `"${person.userId}"`))) === 2);
  expect(await count(savedView('slow turns'))).toBe(0);
  expect(await count(savedView('slow turns').replace('60s', '1ms'))).toBeGreaterThan(0);
  expect(await count(savedView('replays'))).toBe(0);
  const {
    body: {
      items: [failed],
    },
  } = await admin.call('GET', '/api/admin/turns?state=failed');
  await admin.call('POST', `/api/admin/turns/${failed.turnId}/replay`, { reason: 'key mended' });
  const today = savedView('replays today');
  const [date] = new Date().toISOString().split('T');
  await until(async () => (await count(today.replace(/\d{4}-\d\d-\d\d/, String(date)), 'background')) === 1);
  expect(await count(today.replace(/\d{4}/, '2999'), 'background')).toBe(0);
});

test('each failure code has its line, under the name that the UI shows', () => {
  const lines = new Map(
    [...RUNBOOK.matchAll(/^\| `(\w+)` +\| `(\w+)` +\|/gm)].map(([, code = '', type = '']) => [code, type]),
  );
  expect(Object.fromEntries(lines)).toEqual(TURN_FAILURE_TYPES);
  expect([...lines.keys()].sort()).toEqual(Object.keys(TURN_FAILURES).sort());
});

test('each command in it exists', async () => {
  const commands = new Set(
    [...RUNBOOK.matchAll(/`turnkeeper ([a-z]+(?: [a-z]+)?)/g)].map(([, command = '']) => command),
  );
  expect(commands.size).toBeGreaterThan(6);
  const named = await Promise.all([...commands].map(async (command) => [command, await helpOf(command)]));
  expect(named).toEqual(
    [...commands].map((command) => [command, expect.stringContaining(`Usage: turnkeeper ${command}`)]),
  );
  expect(await helpOf('turns mend')).not.toContain('Usage: turnkeeper turns mend');
});

async function helpOf(command: string): Promise<string> {
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ['--disable-warning=ExperimentalWarning', 'cli/main.ts', ...command.split(' '), '--help'],
    { cwd: root, env: { ...process.env, NODE_OPTIONS: '' } },
  );
  return stdout;
}
