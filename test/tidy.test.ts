import { expect, test } from '@jest/globals';
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, normalize, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const files = execFileSync(
  'git',
  ['ls-files', '--cached', '--others', '--exclude-standard', '*.ts', '*.tsx', '*.mjs'],
  { cwd: root, encoding: 'utf8' },
)
  .split('\n')
  .filter((file) => file !== '' && existsSync(join(root, file)));

/**
 * What each folder may import beside itself and npm; a file name narrows it. Nobody but main.ts imports api or worker.
 */
const MAY_IMPORT: Record<string, readonly string[]> = {
  domain: [],
  workflows: ['domain'],
  migrations: [],
  db: ['domain', 'migrations', 'workflows/contract.ts', 'platform/config-error.ts'],
  platform: ['domain', 'workflows/contract.ts'],
  activities: ['domain', 'workflows/contract.ts', 'db', 'platform'],
  worker: ['domain', 'workflows/contract.ts', 'activities', 'platform'],
  api: ['domain', 'workflows/contract.ts', 'db', 'platform'],
  cli: ['domain', 'workflows/contract.ts', 'db', 'platform', 'scripts', 'worker/bundle.ts'],
  scripts: ['domain', 'db', 'platform', 'cli', 'workflows/contract.ts'],
  bench: ['domain', 'db', 'platform', 'scripts', 'test/fake-model/scenario.ts'],
  web: [],
  'main.ts': ['domain', 'db', 'platform', 'api/main.ts', 'worker/main.ts'],
};
/** What a folder may import the types of, beside what it may import. */
const MAY_IMPORT_TYPES: Record<string, readonly string[]> = { web: ['api/wire', 'domain'] };
/** Folders that may use only these packages. */
const MAY_USE: Record<string, readonly string[]> = {
  domain: [],
  workflows: ['@temporalio/workflow', '@temporalio/common'],
};
/** The bench's bare handler writes its two transactions itself. */
const MAY_KNOW_SQL = new Set(['db', 'migrations', 'bench']);
const ONLY_DB = /^(@mikro-orm\/|mikro-orm|kysely|pg)(\/|$)/;

test('imports go one way', () => {
  expect(files.filter((file) => roomOf(file) in MAY_IMPORT).flatMap((file) => violations(file, read(file)))).toEqual(
    [],
  );
});

test('a planted wrong import is found', () => {
  expect(violations('domain/planted.ts', "import { sql } from 'kysely';")).toHaveLength(1);
  expect(violations('domain/planted.ts', "import { openDatabase } from '../db/database.ts';")).toHaveLength(1);
  expect(violations('workflows/planted.ts', "import { readFile } from 'node:fs';")).toHaveLength(1);
  expect(violations('api/planted.ts', "import { createWorkers } from '../worker/worker.ts';")).toHaveLength(1);
  expect(violations('db/planted.ts', "export { x } from '../workflows/chat-turn.ts';")).toHaveLength(1);
  expect(violations('api/planted.ts', "const { sql } = await import('kysely');")).toHaveLength(1);
  expect(violations('api/planted.ts', "import { findTurn } from '../db/turns.ts';")).toHaveLength(0);
  expect(violations('web/chat/Planted.tsx', "import { levelOf } from '../../domain/policy.ts';")).toHaveLength(1);
  expect(
    violations('web/chat/Planted.tsx', "import { type Level, levelOf } from '../../domain/policy.ts';"),
  ).toHaveLength(1);
  expect(violations('web/chat/Planted.tsx', "import type { Principal } from '../../db/users.ts';")).toHaveLength(1);
  expect(violations('web/chat/Planted.tsx', "import { readFile } from 'node:fs/promises';")).toHaveLength(1);
  expect(violations('web/chat/Planted.tsx', "import type { Level } from '../../domain/policy.ts';")).toHaveLength(0);
  expect(violations('api/planted.ts', "import { App } from '../web/App.tsx';")).toHaveLength(1);
  expect(violations('scripts/planted.ts', "import config from '../web/vite.config.ts';")).toHaveLength(1);
});

test('process.env is read in one file of the program', () => {
  const readers = files.filter(
    (file) =>
      /^(domain|workflows|db|migrations|platform|activities|worker|api)\//.test(file) &&
      /process\.env/.test(code(file)),
  );
  expect(readers).toEqual(['platform/config.ts']);
});

test('OpenTelemetry is loaded by one file, and that only once somebody has set an endpoint', () => {
  const program = files.filter((file) => roomOf(file) in MAY_IMPORT);
  expect(
    program.filter((file) => imports(read(file)).some(({ specifier }) => specifier.startsWith('@opentelemetry/'))),
  ).toEqual(['platform/otel.ts']);
  const users = program.filter((file) => imports(read(file)).some(({ specifier }) => specifier === './otel.ts'));
  expect(users).toEqual(['platform/tracing.ts']);
  expect(code('platform/tracing.ts')).toMatch(
    /if \(endpoint === undefined\) return NO_TRACING;\s+const \{ createTracing \} = await import\('\.\/otel\.ts'\);/,
  );
});

test('files stay short enough to have one reason to change', () => {
  const long = files
    .filter((file) => !file.startsWith('test/') && !file.startsWith('migrations/'))
    .map((file) => ({ file, lines: read(file).split('\n').length }))
    .filter(({ lines }) => lines > 250);
  expect(long).toEqual([]);
});

test('nothing is left unfinished or silenced', () => {
  const marks = new RegExp(
    ['TO' + 'DO', 'FIX' + 'ME', '@ts-' + 'ignore', '@ts-' + 'nocheck', 'eslint-' + 'disable'].join('|'),
  );
  expect(files.filter((file) => marks.test(read(file)))).toEqual([]);
});

test('in the web app components are PascalCase and the rest is kebab-case', () => {
  expect(files.filter(isMisnamed)).toEqual([]);
  expect(['web/chat/composer.tsx', 'web/chat/useUsage.ts', 'web/Chat/Composer.tsx'].filter(isMisnamed)).toHaveLength(3);
  expect(['web/chat/Composer.tsx', 'web/chat/use-usage.ts', 'web/vite.config.ts'].filter(isMisnamed)).toEqual([]);
});

test('folders and files are named plainly', () => {
  expect(
    files.filter(
      (file) =>
        /(^|\/)(utils?|helpers?|common|services?|managers?)(\/|\.)/.test(file) && !file.startsWith('scripts/services/'),
    ),
  ).toEqual([]);
  expect(files.filter((file) => !/^[a-z0-9./-]+$/.test(file) && !/^web\//.test(file))).toEqual([]);
});

function violations(file: string, source: string): string[] {
  const room = roomOf(file);
  return imports(source)
    .filter((found) => !allowed(room, file, found))
    .map(({ specifier }) => `${file} imports ${specifier}`);
}

function allowed(room: string, file: string, { specifier, typesOnly }: Import): boolean {
  if (specifier.startsWith('.')) {
    const target = relative('.', normalize(join(dirname(file), specifier)));
    const may = [...(MAY_IMPORT[room] ?? []), ...(typesOnly ? (MAY_IMPORT_TYPES[room] ?? []) : [])];
    return roomOf(target) === room || may.some((name) => target === name || target.startsWith(`${name}/`));
  }
  // What runs in the browser has none of Node; what builds it does.
  if (room === 'web' && specifier.startsWith('node:'))
    return /^web\/(vite\.config|make-types|screenshots)\.ts$/.test(file);
  const packages = MAY_USE[room];
  if (packages !== undefined) return packages.includes(specifier);
  return MAY_KNOW_SQL.has(room) || !ONLY_DB.test(specifier);
}

interface Import {
  readonly specifier: string;
  readonly typesOnly: boolean;
}

function imports(source: string): Import[] {
  const found = [
    ...withoutComments(source).matchAll(
      /(import\s+type\s[^']*from|export\s+type\s[^']*from|from|import)\s*\(?\s*'([^']+)'/g,
    ),
  ];
  return found.map(([, how = '', specifier = '']) => ({ specifier, typesOnly: /^(import|export)\s+type\s/.test(how) }));
}

function isMisnamed(file: string): boolean {
  if (!file.startsWith('web/') || file === 'web/main.tsx') return false;
  const name = file.split('/').at(-1) ?? '';
  return (
    !(file.endsWith('.tsx') ? /^[A-Z][A-Za-z]*\.tsx$/ : /^[a-z0-9-]+(\.config|\.d)?\.ts$/).test(name) ||
    /\/[^/]*[A-Z][^/]*\//.test(file)
  );
}

function roomOf(file: string): string {
  return file.split('/')[0] ?? file;
}

function read(file: string): string {
  return readFileSync(join(root, file), 'utf8');
}

function code(file: string): string {
  return withoutComments(read(file));
}

function withoutComments(source: string): string {
  return source.replaceAll(/\/\*[\s\S]*?\*\//g, '').replaceAll(/(^|\s)\/\/.*$/gm, '');
}
