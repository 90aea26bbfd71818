import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { costsTable, readCosts, type Ledger } from '../../scripts/costs/file-costs.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'turnkeeper-runner-'));
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** The lines that a file of tests begins with. */
const GLOBALS = `import { afterAll, beforeAll, beforeEach, describe, expect, it, jest, test } from '@jest/globals';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { seen } from './shared.ts';
`;

/** This process stands for a service that all files use. */
const ledger = (): Ledger => ({ path: join(folder, 'costs.jsonl'), services: { service: process.pid } });

/** Each test's state and first line of failure, by its name; a file's own, if it could not be run to its end. */
async function run(files: Record<string, string>): Promise<Record<string, string>> {
  writeFileSync(join(folder, 'package.json'), '{"type":"module"}');
  writeFileSync(join(folder, 'shared.ts'), 'export const seen: string[] = [];');
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, `${name}.test.ts`), GLOBALS + text);
  const config = {
    rootDir: folder,
    testMatch: [`${folder}/*.test.ts`],
    extensionsToTreatAsEsm: ['.ts'],
    transform: {},
    testRunner: join(root, 'test/support/jest/run-file.ts'),
  };
  const out = join(folder, 'out.json');
  rmSync(ledger().path, { force: true });
  await new Promise((done) =>
    execFile(
      process.execPath,
      [
        join(root, 'node_modules/jest/bin/jest.js'),
        ...['--config', JSON.stringify(config), '--runInBand', '--forceExit', '--json', '--outputFile', out],
      ],
      { cwd: folder, env: { ...process.env, TEST_COSTS: JSON.stringify(ledger()) } },
      done,
    ),
  );
  const { testResults } = JSON.parse(readFileSync(out, 'utf8')) as {
    testResults: {
      name: string;
      message: string;
      assertionResults: { title: string; status: string; failureMessages: string[] }[];
    }[];
  };
  const broken = testResults.filter(({ assertionResults }) => assertionResults.length === 0);
  return Object.fromEntries([
    ...testResults
      .flatMap((file) => file.assertionResults)
      .map(({ title, status, failureMessages: [why = ''] }) => [title, `${status} ${why.split('\n')[0]}`.trim()]),
    ...broken.map(({ name, message }) => [basename(name), message]),
  ]);
}

test('a test that is wrong, late, rejected behind its back or prepared in vain fails, and the next file begins anew', async () => {
  const results = await run({
    a: `
      jest.setTimeout(2_000);
      test('right', () => expect({ a: 'x', b: [1] }).toEqual({ a: expect.any(String), b: expect.any(Array) }));
      test('wrong', () => expect({ a: 'x' }).toEqual({ a: expect.any(Number) }));
      test('late', () => new Promise(() => {}));
      test('rejected', async () => {
        void Promise.reject(new Error('nobody catches this'));
        await new Promise((done) => setTimeout(done, 20));
      });
      describe('hooks', () => {
        beforeAll(() => { throw new Error('not ready'); });
        test('prepared in vain', () => {});
      });
      test.each([1, 2])('each %i', (n) => expect(n).toBe(1));
      test('leaves things', () => {
        process.env.LEFT = 'behind';
        jest.useFakeTimers();
        seen.push('a');
      });
    `,
    b: `
      let before = 0;
      beforeEach(() => { before += 1; });
      test('clean', async () => {
        expect(process.env.LEFT).toBeUndefined();
        await new Promise((done) => setTimeout(done, 1_000));
        expect(before).toBe(1);
      });
      test('shared', () => expect(seen).toEqual(['a']));
      it.skip('skipped', () => {}); // On purpose: the runner that is tested here has to report it as skipped.
    `,
    c: `
      test('works and lets work', async () => {
        const work = 'const from = process.cpuUsage(); while (process.cpuUsage(from).user < 200_000);';
        new Function(work)();
        await once(spawn(process.execPath, ['-e', work]), 'exit');
      }, 60_000);
    `,
  });
  expect(results).toEqual({
    right: 'passed',
    wrong: expect.stringMatching(/^failed Error: .*toEqual/),
    late: expect.stringMatching(/^failed .*Exceeded timeout of 2000 ms/),
    rejected: 'failed Error: nobody catches this',
    'prepared in vain': 'failed Error: not ready',
    'each 1': 'passed',
    'each 2': expect.stringMatching(/^failed Error: .*toBe/),
    'leaves things': 'passed',
    clean: 'passed',
    shared: 'passed',
    skipped: 'pending',
    'works and lets work': 'passed',
  });
  const costs = readCosts(ledger().path);
  const [most] = costs.toSorted((a, b) => b.started - a.started);
  expect([basename(most?.file ?? ''), costs.length]).toEqual(['c.test.ts', 3]);
  expect(Math.min(most?.tests ?? 0, most?.started ?? 0)).toBeGreaterThanOrEqual(0.15);
});

test('the table of costs has the dearest file first, and what all took', () => {
  const cost = { took: 2, tests: 1, started: 0 };
  expect(
    costsTable([
      { ...cost, file: 'cheap', services: { redis: 0.5 } },
      { ...cost, file: 'dear', started: 3, services: { redis: 0.25, temporal: 1 } },
    ]).map((line) => line.trim().replaceAll(/ +/g, ' ')),
  ).toEqual([
    'CPU s tests started redis temporal clock file',
    '5.3 1.0 3.0 0.3 1.0 2.0 dear',
    '1.5 1.0 0.0 0.5 0.0 2.0 cheap',
    '6.8 2.0 3.0 0.8 1.0 4.0 all 2 files',
  ]);
});

test('a file that leaves something open has failed, though its tests have passed', async () => {
  const results = await run({
    a: `test('closes', async () => { const server = createServer().listen(0); await once(server, 'listening'); server.close(); });`,
    b: `test('leaves a server', async () => { await once(createServer().listen(0), 'listening'); });`,
    c: `test('leaves what nobody waits for', async () => { await once(createServer().listen(0).unref(), 'listening'); });`,
    d: `test('leaves a child', () => { spawn('sleep', ['10']); });`,
  });
  expect(results).toEqual({
    closes: 'passed',
    'b.test.ts': expect.stringContaining('leaves open what it has opened: 1 TCPServerWrap'),
    'leaves what nobody waits for': 'passed',
    'd.test.ts': expect.stringContaining('1 ProcessWrap'),
  });
});
