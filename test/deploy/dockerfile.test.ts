import { expect, test } from '@jest/globals';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { MALLOC, NODE_FLAGS } from '../../scripts/app.ts';
import { readProjectFile } from './compose-file.ts';

const root = new URL('../../', import.meta.url);
const lines = readProjectFile('Dockerfile')
  .split('\n')
  .filter((line) => line.trim() !== '' && !line.startsWith('#'));
const PREVIOUS = 'FROM ${PREVIOUS} AS previous';
const copied = copiedIn(lines);
/** The stage of the running image; the stage that builds the web app leaves only its result. */
const program = copiedIn(stage('build'));
const manifest = JSON.parse(readProjectFile('package.json')) as {
  dependencies: Record<string, string>;
  devDependencies: Record<string, string>;
};

test('everything that is copied exists', () => {
  expect(copied).toContain('main.ts');
  expect(copied.filter((path) => !existsSync(new URL(path, root)))).toEqual([]);
});

test('.dockerignore lets through exactly what is copied, so no .env and no data', () => {
  const rules = readProjectFile('.dockerignore')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'));
  expect(rules[0]).toBe('*');
  expect(rules.slice(1).sort()).toEqual([...new Set(copied)].map((path) => `!${path}`).sort());
});

test('everything that the running code imports is copied, and no package of development', () => {
  expect(program).not.toContain('web');
  const missing = program.flatMap(filesOf).flatMap((file) => {
    const code = readFileSync(new URL(file, root), 'utf8')
      .replaceAll(/\/\*[\s\S]*?\*\//g, '')
      .replaceAll(/(^|\s)\/\/.*$/gm, '');
    const specifiers = [
      ...code.matchAll(/^(?!import type|export type)[^'\n]*(?:\sfrom\s+|\bimport\s*\(?\s*)'([^']+)'/gm),
    ].flatMap(([, specifier]) => specifier ?? []);
    return specifiers.filter((specifier) => !isThere(file, specifier)).map((specifier) => `${file}: ${specifier}`);
  });
  expect(missing).toEqual([]);
});

test("it and .nvmrc are of the Node that npm start runs on, in Debian, for Temporal's native core", () => {
  const bases = lines
    .filter((line) => line.startsWith('FROM ') && line !== PREVIOUS)
    .map((line) => line.split(' ')[1]?.replace(/@.*$/, ''));
  const version = manifest.dependencies['node'] ?? 'none';
  const [full, slim] = [`node:${version}-bookworm`, `node:${version}-bookworm-slim`];
  expect(bases).toEqual([full, slim, full, slim]);
  expect(readProjectFile('.nvmrc')).toBe(`${version}\n`);
});

test('the web app is built in a stage of its own upon that of the image before, and only its files go on', () => {
  const both = (from: string) => [
    `COPY --from=${from} /web.assets.json /web.assets.json`,
    `COPY --from=${from} /web /web`,
  ];
  expect(stage('web').slice(-3)).toEqual([
    ...both('previous'),
    'RUN node --disable-warning=ExperimentalWarning scripts/web/build-into.ts /web',
  ]);
  expect(lines.filter((line) => line.startsWith('COPY --from=web'))).toEqual(both('web'));
  expect(lines.some((line) => /^ENV .*\bWEB_DIR=\/web$/.test(line))).toBe(true);
  // Without an image before, there is a build with no assets.
  expect([lines[0], stage('previous')]).toEqual(['ARG PREVIOUS=nothing', [PREVIOUS]]);
  expect(stage('nothing').at(-1)).toBe("RUN mkdir -p /web/assets && echo '[]' > /web.assets.json");
});

test("the program runs without development's packages, not as root, as process 1 of its own", () => {
  expect(stage('build').some((line) => line.startsWith('RUN npm ci --omit=dev'))).toBe(true);
  const last = lines.slice(lines.findLastIndex((line) => line.startsWith('FROM ')));
  expect(last).toContain('USER node');
  expect(last.at(-1)).toMatch(/^CMD \["node", .*"main.ts"\]$/);
  expect(last.some((line) => line.startsWith('RUN '))).toBe(false);
});

test('it runs as npm start runs it: the same flags of Node, the same of malloc', () => {
  expect(JSON.parse(lines.at(-1)?.replace(/^CMD /, '') ?? '')).toEqual(['node', ...NODE_FLAGS, 'main.ts']);
  expect(lines).toContain(
    `ENV ${Object.entries(MALLOC)
      .map(([name, value]) => `${name}=${value}`)
      .join(' ')}`,
  );
});

function copiedIn(of: readonly string[]): string[] {
  return of.filter((line) => /^COPY (?!--from)/.test(line)).flatMap((line) => line.split(' ').slice(1, -1));
}

function stage(name: string): string[] {
  const from = lines.findIndex((line) => line.startsWith('FROM ') && line.endsWith(` AS ${name}`));
  const next = lines.findIndex((line, i) => i > from && line.startsWith('FROM '));
  return from === -1 ? [] : lines.slice(from, next === -1 ? undefined : next);
}

function filesOf(path: string): string[] {
  if (!statSync(new URL(path, root)).isDirectory()) return path.endsWith('.ts') ? [path] : [];
  return readdirSync(new URL(`${path}/`, root), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts'))
    .map((file) => `${path}/${file}`);
}

function isThere(file: string, specifier: string): boolean {
  if (specifier.startsWith('node:')) return true;
  if (specifier.startsWith('.')) {
    const target = new URL(specifier, new URL(file, root)).href.slice(root.href.length);
    return (
      program.some((path) => target === path || target.startsWith(`${path}/`)) && existsSync(new URL(target, root))
    );
  }
  const [first = '', second = ''] = specifier.split('/');
  const name = first.startsWith('@') ? `${first}/${second}` : first;
  return name in manifest.dependencies;
}
