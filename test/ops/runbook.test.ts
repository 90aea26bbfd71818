import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { TURN_FAILURES } from '../../domain/errors.ts';
import { TURN_FAILURE_TYPES } from '../../workflows/contract.ts';
import { startTestStack, type Person, type TestStack } from '../support/stack.ts';
import { until } from '../support/until.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const runbook = readFileSync(new URL('../../docs/runbook.md', import.meta.url), 'utf8');
const views = new Map([...runbook.matchAll(/^\| ([^|`]+) \| `([A-Z][^`]+)` \|$/gm)].map(([, name = '', query = '']) => [name, query]));
let stack: TestStack;
let person: Person;

beforeAll(async () => {
  stack = await startTestStack();
  person = await stack.person();
  stack.model.next({ status: 401 });
  await person.call('POST', '/api/chat/send', { message: '안녕' });
  await person.call('POST', '/api/chat/send', { message: '안녕' });
});
afterAll(() => stack.close());

const count = async (query: string) => (await stack.temporal.client.workflow.count(`(${query}) AND TaskQueue = "${stack.taskQueuePrefix}turns"`)).count;

test('every saved query is one that the server understands', async () => {
  expect(views.size).toBe(10);
  for (const query of views.values()) await stack.temporal.client.workflow.count(query);
  await expect(stack.temporal.client.workflow.count('TurnMistake = "x"')).rejects.toThrow();
});

test('they find what they are for, and nothing else', async () => {
  await until(async () => await count(views.get('failed turns') ?? '') === 1);
  expect(await count((views.get('… by cause') ?? '').replace('LlmUnavailable', 'LlmRejected'))).toBe(1);
  expect(await count(views.get('… by cause') ?? '')).toBe(0);
  await until(async () => await count((views.get('one user\'s turns') ?? '').replace('"1"', `"${person.userId}"`)) === 2);
  expect(await count(views.get('slow turns') ?? '')).toBe(0);
  expect(await count((views.get('slow turns') ?? '').replace('60s', '1ms'))).toBeGreaterThan(0);
  expect(await count(views.get('replays') ?? '')).toBe(0);
});

test('each failure code has its line, under the name that the UI shows', () => {
  const lines = new Map([...runbook.matchAll(/^\| `(\w+)` \| `(\w+)` \|/gm)].map(([, code = '', type = '']) => [code, type]));
  expect(Object.fromEntries(lines)).toEqual(TURN_FAILURE_TYPES);
  expect([...lines.keys()].sort()).toEqual(Object.keys(TURN_FAILURES).sort());
});

test('each command in it exists', () => {
  const commands = new Set([...runbook.matchAll(/`turnkeeper ([a-z]+(?: [a-z]+)?)/g)].map(([, command = '']) => command));
  expect(commands.size).toBeGreaterThan(6);
  for (const command of commands) expect([command, helpOf(command)]).toEqual([command, expect.stringContaining(`Usage: turnkeeper ${command}`)]);
  expect(helpOf('turns mend')).not.toContain('Usage: turnkeeper turns mend');
}, 120_000);

function helpOf(command: string): string {
  return spawnSync(process.execPath, ['--disable-warning=ExperimentalWarning', 'cli/main.ts', ...command.split(' '), '--help'], { cwd: root, encoding: 'utf8', env: { ...process.env, NODE_OPTIONS: '' } }).stdout;
}
