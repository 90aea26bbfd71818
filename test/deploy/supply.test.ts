import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { packagesOf, type Manifest } from '../../scripts/supply/locked.ts';
import { readProjectFile } from './compose-file.ts';

const root = join(import.meta.dirname, '../..');
const locked = packagesOf(readProjectFile('package-lock.json'));

describe('packages', () => {
  /** Licences that ask for a notice at most, or (MPL, EPL) for changes to the package's own files: we make none. */
  const FINE =
    /^(MIT(-0)?|ISC|0BSD|Unlicense|BSD-[23]-Clause|(Apache-2|BlueOak-1\.0|[ME]PL-2|Python-2|CC0-1|CC-BY-4)\.0|OFL-1\.1)$/;
  /** A manifest that names no licence, and the one in its folder. */
  const LOOKED_AT: Readonly<Record<string, string>> = {
    'node_modules/unionfs': 'Unlicense',
    'node_modules/khroma': 'MIT',
    'node_modules/png-js': 'MIT',
  };
  /** Of several to choose from, one that is fine is enough. */
  const refused = (licence: string) =>
    !licence
      .replaceAll(/[()]/g, '')
      .split(' OR ')
      .some((choice) => choice.split(' AND ').every((word) => FINE.test(word)));

  test('are under licences that ask nothing of us but a notice', () => {
    expect(locked.length).toBeGreaterThan(500);
    expect(locked.filter(({ path, licence }) => refused(LOOKED_AT[path] ?? licence))).toEqual([]);
    expect(
      ['GPL-3.0', 'AGPL-3.0-only', '(MIT AND GPL-2.0)', 'none', 'UNLICENSED'].filter((each) => !refused(each)),
    ).toEqual([]);
  });

  test('are locked by digest, except for what lies inside another package', () => {
    const bare = locked.filter(({ integrity }) => integrity === null).map(({ path }) => path);
    expect(
      bare.filter((path) => !path.startsWith('node_modules/@tailwindcss/oxide-wasm32-wasi/node_modules/')),
    ).toEqual([]);
    for (const { integrity } of locked) if (integrity !== null) expect(integrity).toMatch(/^sha512-/);
  });

  test('stand in docs/dependencies.md with the version and the licence that are locked', () => {
    const manifest = JSON.parse(readProjectFile('package.json')) as Manifest;
    const names = [...Object.keys(manifest.dependencies), ...Object.keys(manifest.devDependencies)];
    const rows = [...readProjectFile('docs/dependencies.md').matchAll(/^\| `([^`]+)` +\| (\S+) +\| (\S.*?) +\|/gm)];
    expect(rows.map(([, ...cells]) => cells)).toEqual(
      names.map((name) => {
        const found = locked.find(({ path }) => path === `node_modules/${name}`);
        return [name, found?.version, found?.licence];
      }),
    );
  });
});

describe('npm run pin-images', () => {
  let folder: string;
  const FILES = ['docker-compose.yml', 'Dockerfile'];
  const textOf = (file: string) => readFileSync(join(folder, file), 'utf8');

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'turnkeeper-images-'));
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  /** Runs it on a copy of our files, with a client of docker that answers each question by `script`. */
  function pin(script: string): { status: number | null; said: string } {
    for (const file of FILES) cpSync(join(root, file), join(folder, file));
    writeFileSync(join(folder, 'docker'), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
    const { status, stderr } = spawnSync(
      process.execPath,
      ['--disable-warning=ExperimentalWarning', 'scripts/supply/pin-images.ts', folder],
      {
        cwd: root,
        encoding: 'utf8',
        env: { ...process.env, NODE_OPTIONS: '', PATH: `${folder}${delimiter}${process.env['PATH'] ?? ''}` },
      },
    );
    return { status, said: stderr };
  }

  /** A digest that tells images apart. */
  const BY_NAME = `echo "sha256:$(printf %s "$4" | sha256sum | cut -c1-64)"`;

  test('writes the digest behind each version of an image of others, once, and again another day', () => {
    expect(pin(`[ "$1 $2 $3" = "buildx imagetools inspect" ] && ${BY_NAME}`).status).toBe(0);
    const pinned = FILES.map(textOf).join('\n');
    const images = [...pinned.matchAll(/^(?:\s*image:|FROM) ([^\s$]+)/gm)].map(([, image = '']) => image);
    expect(images.filter((image) => !/:\d\S*@sha256:[0-9a-f]{64}$/.test(image))).toEqual(['turnkeeper:local']);
    expect(new Set(images.map((image) => image.split('@')[1])).size).toBe(new Set(images).size);
    const { status } = spawnSync(process.execPath, ['scripts/supply/pin-images.ts', folder], {
      cwd: root,
      env: { ...process.env, NODE_OPTIONS: '', PATH: `${folder}${delimiter}${process.env['PATH'] ?? ''}` },
    });
    expect([status, FILES.map(textOf).join('\n')]).toEqual([0, pinned]);
    // Nothing else is touched.
    expect(
      FILES.map(textOf)
        .join('')
        .replaceAll(/@sha256:[0-9a-f]{64}/g, ''),
    ).toBe(FILES.map(readProjectFile).join(''));
  });

  test('changes nothing when one image is not answered, and names it', () => {
    const { status, said } = pin(`case "$4" in redis:*) echo "no such host" >&2; exit 1;; *) ${BY_NAME};; esac`);
    expect([status, said]).toEqual([
      1,
      expect.stringMatching(/redis:\S+: no registry tells its digest \(no such host\); nothing was changed/),
    ]);
    expect(FILES.map(textOf)).toEqual(FILES.map(readProjectFile));
  });
});
