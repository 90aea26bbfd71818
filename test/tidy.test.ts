import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, normalize, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from '@jest/globals';
import { WATCHED } from '../scripts/reload.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const files = execFileSync(
  'git',
  ['ls-files', '--cached', '--others', '--exclude-standard', '*.ts', '*.tsx', '*.mjs'],
  { cwd: root, encoding: 'utf8' },
)
  .split('\n')
  .filter((file) => file !== '' && existsSync(join(root, file)));

/**
 * What each folder may import in addition to itself and npm; a file's name narrows it. Only service.ts imports api and
 * worker.
 */
const MAY_IMPORT: Record<string, readonly string[]> = {
  domain: [],
  workflows: ['domain'],
  migrations: [],
  db: ['domain', 'migrations', 'workflows/contract'],
  platform: ['domain', 'workflows/contract'],
  operations: ['domain', 'workflows/contract', 'db', 'platform'],
  activities: ['domain', 'workflows/contract', 'db', 'platform', 'operations'],
  worker: ['domain', 'workflows/contract', 'activities', 'platform'],
  api: ['domain', 'workflows/contract', 'db', 'platform', 'operations'],
  cli: ['domain', 'workflows/contract', 'db', 'platform', 'operations', 'scripts', 'worker/bundle.ts'],
  scripts: ['domain', 'db', 'platform', 'cli', 'workflows/contract'],
  bench: ['domain', 'db', 'platform', 'scripts', 'test/fake-model/scenario.ts'],
  web: [],
  'service.ts': ['domain', 'db', 'platform', 'operations', 'api/main.ts', 'worker/main.ts'],
  'main.ts': ['service.ts', 'platform/config', 'domain/setup-error.ts'],
  'mikro-orm.config.ts': ['domain', 'db/schema', 'platform/config'],
};
/** Folders from which a folder may import types only, in addition to MAY_IMPORT. */
const MAY_IMPORT_TYPES: Record<string, readonly string[]> = {
  web: ['api/wire', 'domain'],
  // A workflow's start is typed by the workflow; the code of workflows runs only in the sandbox.
  platform: ['workflows'],
  cli: ['workflows'],
  worker: ['workflows'],
};
/** Folders that may use only these packages. */
const MAY_USE: Record<string, readonly string[]> = {
  domain: [],
  workflows: ['@temporalio/workflow', '@temporalio/common'],
};
/** Rooms that may contain SQL. The bench may, because its bare handler writes its two transactions itself. */
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
  expect(violations('main.ts', "import { startApi } from './api/main.ts';")).toHaveLength(1);
  expect(violations('platform/planted.ts', "import { createService } from '../service.ts';")).toHaveLength(1);
  expect(violations('db/planted.ts', "export { x } from '../workflows/chat-turn.ts';")).toHaveLength(1);
  expect(violations('api/planted.ts', "const { sql } = await import('kysely');")).toHaveLength(1);
  expect(violations('api/planted.ts', "import { findTurn } from '../db/turns/turns.ts';")).toHaveLength(0);
  expect(violations('web/chat/Planted.tsx', "import { levelOf } from '../../domain/policy.ts';")).toHaveLength(1);
  expect(
    violations('web/chat/Planted.tsx', "import { type Level, levelOf } from '../../domain/policy.ts';"),
  ).toHaveLength(1);
  expect(violations('web/chat/Planted.tsx', "import type { Principal } from '../../db/people/users.ts';")).toHaveLength(
    1,
  );
  expect(violations('web/chat/Planted.tsx', "import { readFile } from 'node:fs/promises';")).toHaveLength(1);
  expect(violations('web/chat/Planted.tsx', "import type { Level } from '../../domain/policy.ts';")).toHaveLength(0);
  expect(violations('platform/planted.ts', "import { chatTurn } from '../workflows/chat-turn.ts';")).toHaveLength(1);
  expect(violations('platform/planted.ts', "import type { chatTurn } from '../workflows/chat-turn.ts';")).toHaveLength(
    0,
  );
  expect(violations('api/planted.ts', "import { App } from '../web/App.tsx';")).toHaveLength(1);
  expect(violations('scripts/planted.ts', "import config from '../web/vite.config.ts';")).toHaveLength(1);
});

test('process.env is read in one file of the program', () => {
  const readers = files.filter(
    (file) =>
      /^((domain|workflows|db|migrations|platform|operations|activities|worker|api)\/|(main|service)\.ts$)/.test(
        file,
      ) && /process\.env/.test(code(file)),
  );
  expect(readers).toEqual(['platform/config/config.ts']);
});

test('the model is called in one file of the program, under a hold (G3)', () => {
  const callers = files.filter((file) => roomOf(file) in MAY_IMPORT && callsModel(code(file)));
  expect(callers).toEqual(['activities/call-model.ts']);
  expect(callsModel('const end = await deps.model.stream(request, onDelta);')).toBe(true);
});

test('a promise is raced against the clock in one file', () => {
  const races = (source: string) => /Promise\.race/.test(source) && /setTimeout\(|sleep\(/.test(source);
  // The browser's program shares no code with the server's.
  const server = files.filter((file) => roomOf(file) in MAY_IMPORT && roomOf(file) !== 'web');
  expect(server.filter((file) => races(code(file)))).toEqual(['platform/deadline.ts']);
  expect(races('await Promise.race([work, sleep(100)]);')).toBe(true);
});

test('OpenTelemetry is loaded by one file, and that only once somebody has set an endpoint', () => {
  const program = files.filter((file) => roomOf(file) in MAY_IMPORT);
  expect(
    program.filter((file) => imports(read(file)).some(({ specifier }) => specifier.startsWith('@opentelemetry/'))),
  ).toEqual(['platform/telemetry/otel.ts']);
  const users = program.filter((file) => imports(read(file)).some(({ specifier }) => specifier.endsWith('/otel.ts')));
  expect(users).toEqual(['platform/telemetry/tracing.ts']);
  expect(code('platform/telemetry/tracing.ts')).toMatch(
    /if \(endpoint === undefined\) return NO_TRACING;\s+const \{ createTracing \} = await import\('\.\/otel\.ts'\);/,
  );
});

test('no two files import each other in a circle', () => {
  expect(circles(new Map(files.map((file) => [file, imported(file, read(file))])))).toEqual([]);
});

test('a planted circle is found, of types too', () => {
  const planted = new Map([
    ['db/a.ts', imported('db/a.ts', "import { b } from './b.ts';")],
    ['db/b.ts', imported('db/b.ts', "import type { C } from './money/c.ts';")],
    ['db/money/c.ts', imported('db/money/c.ts', "export { a } from '../a.ts';")],
    ['db/d.ts', imported('db/d.ts', "const { a } = await import('./a.ts');")],
  ]);
  expect(circles(planted)).toEqual([['db/a.ts', 'db/b.ts', 'db/money/c.ts']]);
});

/**
 * Writes of `db` after which something must happen, in whichever process. One file of `operations` calls each, and the
 * API, the activities and the commands call that file.
 */
const FOLLOWED_WRITES = [
  'grantTokens',
  'reverseGrant',
  'suspendUser',
  'replayTurn',
  'unbindTurn',
  'createRedrive',
  'convergePurchase',
  'requestRefund',
  'failRefund',
];

test('what has to follow a write is written once', () => {
  const writers = (name: string, rooms: RegExp) =>
    files.filter((file) => rooms.test(file) && new RegExp(`\\b${name}\\(`).test(code(file)));
  for (const name of FOLLOWED_WRITES) {
    expect([name, writers(name, /^(api|cli|activities|worker)\//)]).toEqual([name, []]);
    expect([name, writers(name, /^db\//).length, writers(name, /^operations\//).length]).toEqual([name, 1, 1]);
  }
});

test('npm run dev watches all that the program is made of', () => {
  const program = new Set<string>(['main.ts']);
  // Iterating a set also visits what is added on the way.
  for (const file of program) for (const other of imported(file, read(file))) program.add(other);
  expect([...WATCHED].sort()).toEqual([...new Set([...program].map(roomOf))].sort());
});

test('a room holds at most 15 files', () => {
  expect(crowded(files)).toEqual([]);
  const planted = Array.from({ length: 16 }, (_, n) => `platform/file-${n}.ts`);
  expect(crowded(planted)).toEqual(['platform']);
  expect(crowded(planted.slice(1))).toEqual([]);
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
    ['TO' + 'DO', 'FIX' + 'ME', '@ts-' + 'ignore', '@ts-' + 'nocheck', 'lint-' + 'disable'].join('|'),
  );
  expect(files.filter((file) => marks.test(read(file)))).toEqual([]);
});

test('no type is forced upon a value past what the compiler knows of it', () => {
  const forced = (source: string) => /\bas\s+(unknown|any|never)\s+as\b/.test(withoutComments(source));
  expect(files.filter((file) => !file.startsWith('test/') && forced(read(file)))).toEqual([]);
  expect(forced('const deps = {} as unknown as ApiDeps;')).toBe(true);
  expect(forced('const found = JSON.parse(text) as unknown;')).toBe(false);
});

test('in the web app components are PascalCase and the rest is kebab-case', () => {
  expect(files.filter(isMisnamed)).toEqual([]);
  expect(['web/chat/composer.tsx', 'web/chat/useUsage.ts', 'web/Chat/Composer.tsx'].filter(isMisnamed)).toHaveLength(3);
  expect(['web/chat/composer/Composer.tsx', 'web/chat/use-usage.ts', 'web/vite.config.ts'].filter(isMisnamed)).toEqual(
    [],
  );
});

test('folders and files are named plainly', () => {
  expect(
    files.filter(
      (file) =>
        /(^|\/)(utils?|helpers?|common|services?|managers?)(\/|\.)/.test(file) &&
        !file.startsWith('scripts/services/') &&
        file !== 'service.ts',
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
  // The browser's code has none of Node; its build does.
  if (room === 'web' && specifier.startsWith('node:')) return /^web\/(vite\.config|make-types)\.ts$/.test(file);
  const packages = MAY_USE[room];
  if (packages !== undefined) return packages.includes(specifier);
  return MAY_KNOW_SQL.has(room) || !ONLY_DB.test(specifier);
}

/**
 * Rooms with too many files to find one by its name. Rooms with one file for each route, schema or rule are exempt,
 * because they are lists.
 */
function crowded(inside: readonly string[]): string[] {
  const list = /^(domain|migrations|cli|bench|test(\/.*)?|api\/(routes|wire))$/;
  const rooms = Map.groupBy(inside, dirname);
  return [...rooms].filter(([room, { length }]) => length > 15 && !list.test(room)).map(([room]) => room);
}

/** Our own files that a file imports, values and types alike. */
function imported(file: string, source: string): string[] {
  return imports(source)
    .filter(({ specifier }) => specifier.startsWith('.'))
    .map(({ specifier }) => normalize(join(dirname(file), specifier)));
}

/** The circles of imports, each once: files that reach each other. By Tarjan's algorithm. */
function circles(reach: ReadonlyMap<string, readonly string[]>): string[][] {
  const found: string[][] = [];
  const order = new Map<string, number>();
  const path: string[] = [];
  /** @returns the position of the first file of `path` that this one reaches. */
  function visit(file: string): number {
    const mine = order.size;
    order.set(file, mine);
    path.push(file);
    let first = mine;
    for (const other of reach.get(file) ?? []) {
      if (!order.has(other)) first = Math.min(first, visit(other));
      else if (path.includes(other)) first = Math.min(first, order.get(other) ?? mine);
    }
    if (first === mine) {
      const circle = path.splice(path.indexOf(file));
      if (circle.length > 1) found.push(circle.sort());
    }
    return first;
  }
  for (const file of reach.keys()) if (!order.has(file)) visit(file);
  return found;
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

function callsModel(source: string): boolean {
  return /\bmodel\s*\.stream\(/.test(source);
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
