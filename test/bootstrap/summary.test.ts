import { expect, test } from '@jest/globals';
import { createServer, type Server } from 'node:net';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { bannerOf } from '../../scripts/banner.ts';
import { FAST_LANES } from '../../scripts/lanes.ts';
import { SetupError } from '../../domain/setup-error.ts';
import { freePort, onFreePort, reservePort } from '../../scripts/services/port.ts';
import {
  failureLines,
  filesToRepeat,
  NOTHING_RAN,
  skippedLine,
  summarise,
  summaryLine,
  unsteadyLine,
  withRepeated,
  type JestResult,
} from '../../scripts/summary.ts';

const green: JestResult = {
  numPassedTests: 3,
  numFailedTests: 0,
  numPendingTests: 0,
  numTodoTests: 0,
  numRuntimeErrorTestSuites: 0,
  testResults: [],
};

test.each<[string, Partial<JestResult>, number, string]>([
  ['all green', {}, 0, '3 passed, 0 failed'],
  ['two red', { numFailedTests: 2 }, 1, '3 passed, 2 failed'],
  ['a suite that could not run', { numRuntimeErrorTestSuites: 1 }, 1, '3 passed, 1 failed'],
  ['no test at all', { numPassedTests: 0 }, 0, '0 passed, 1 failed'],
  ['green, yet jest did not end well', {}, 1, '3 passed, 1 failed'],
])('the last line of npm test: %s', (_name, result, exitCode, line) => {
  expect(summaryLine(summarise({ ...green, ...result }, exitCode))).toBe(line);
});

test('a run that cannot begin has failed', () => {
  expect(summaryLine(NOTHING_RAN)).toBe('0 passed, 1 failed');
});

test('tests that were left out are said', () => {
  expect(skippedLine(green)).toBeNull();
  expect(skippedLine({ ...green, numPendingTests: 2, numTodoTests: 1 })).toMatch(/^3 tests were not run/);
});

test('what failed in a whole run counts by its second run alone, and what passes only then is named', () => {
  const file = (name: string, ...tests: ['passed' | 'failed', string][]) => ({
    name,
    status: tests.some(([status]) => status === 'failed') ? 'failed' : 'passed',
    message: '',
    assertionResults: tests.map(([status, fullName]) => ({
      status,
      fullName,
      failureMessages:
        status === 'passed' ? [] : [`\u001b[2mexpect(\u001b[22mreceived).toBe()\n\nExpected: 1\nReceived: 2`],
    })),
  });
  const run = (...testResults: ReturnType<typeof file>[]): JestResult => {
    const count = (wanted: string) =>
      testResults.flatMap(({ assertionResults }) => assertionResults).filter(({ status }) => status === wanted).length;
    return { ...green, numPassedTests: count('passed'), numFailedTests: count('failed'), testResults };
  };
  const first = run(
    file('a', ['passed', 'one']),
    file('b', ['passed', 'two'], ['failed', 'three'], ['failed', 'four']),
  );
  expect(filesToRepeat(first)).toEqual(['b']);
  expect(failureLines(first)).toEqual(
    ['three', 'four'].map((name) => `failed: b: ${name}: expect(received).toBe() Expected: 1 Received: 2`),
  );
  const broken = { name: 'c', status: 'failed', message: 'no such module\nat c:1', assertionResults: [] };
  expect(failureLines({ ...green, testResults: [broken] })).toEqual(['failed: c: no such module']);
  const second = run(file('b', ['passed', 'two'], ['passed', 'three'], ['failed', 'four']));
  expect(summaryLine(summarise(withRepeated(first, second), 1))).toBe('3 passed, 1 failed');
  expect(unsteadyLine(first, second)).toMatch(/: three$/);
  const third = run(file('b', ['passed', 'two'], ['failed', 'three'], ['failed', 'four']));
  expect(unsteadyLine(first, third)).toBeNull();
  expect(summaryLine(summarise(withRepeated(first, third), 1))).toBe(summaryLine(summarise(first, 1)));
  const seven = run(...[...'abcdefg'].map((name) => file(name, ['failed', name])));
  expect(filesToRepeat(seven)).toEqual([]);
});

test('the fast lanes that are named by a file exist', () => {
  const files = FAST_LANES.flatMap((lane) => /^(.*)\((.*)\)\\\.test\\\.ts$/.exec(lane)?.[2]?.split('|') ?? []);
  expect(files.filter((name) => !existsSync(join(import.meta.dirname, `${name}.test.ts`)))).toEqual([]);
});

test('a taken PORT is named, and its number is given to no service', async () => {
  const server = await listen();
  const { port } = server.address() as { port: number };
  await expect(reservePort(port, '127.0.0.1')).rejects.toThrow(`PORT: ${port} is in use`);
  server.close();
  await once(server, 'close');
  expect(await reservePort(port, '127.0.0.1')).toBe(port);
  const given = await Promise.all(Array.from({ length: 50 }, freePort));
  expect(new Set([port, ...given]).size).toBe(51);
});

test("on a database of somebody else's the banner shows no keys", () => {
  const banner = bannerOf(
    { demo: null, temporalUi: null, services: [] },
    { url: 'http://127.0.0.1:3000', web: 'http://127.0.0.1:3000', mail: null, seconds: 1 },
  );
  expect(banner).not.toContain('Bearer');
  expect(banner).toContain('user create');
  expect(banner).toContain('mail          off (SMTP_URL is not set)');
});

test("only the app's own address in the banner carries the secret of the demo", () => {
  const demo = {
    secret: 'S3cret',
    user: { userId: 1, token: 'tk_user' },
    admin: { userId: 2, token: 'tk_admin' },
  } as const;
  const banner = bannerOf(
    { demo, temporalUi: null, services: [] },
    { url: 'http://127.0.0.1:3000', web: 'http://127.0.0.1:5173', mail: null, seconds: 1 },
  );
  expect(banner.split('\n').filter((line) => line.includes('S3cret'))).toEqual([
    '  app           http://127.0.0.1:5173/#demo=S3cret',
  ]);
});

async function listen(): Promise<Server> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  return server;
}

test('a service whose port somebody took in between gets another one, and no other failure is tried again', async () => {
  const ports: number[] = [];
  const fail = (message: string, times: number) => async (port: number) => {
    ports.push(port);
    if (ports.length <= times) throw new SetupError(message);
    return port;
  };
  const taken = 'temporal ended at once (exit code 1): listen tcp 127.0.0.1:40707: bind: address already in use';
  expect(await onFreePort(fail(taken, 2))).toBe(ports[2]);
  expect(new Set(ports).size).toBe(3);
  ports.length = 0;
  await expect(onFreePort(fail(taken, 3))).rejects.toThrow(taken);
  expect(ports).toHaveLength(3);
  ports.length = 0;
  await expect(onFreePort(fail('no space left on device', 1))).rejects.toThrow('no space left');
  expect(ports).toHaveLength(1);
});
