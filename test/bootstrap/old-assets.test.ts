import { expect, test } from '@jest/globals';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { keepOldAssets } from '../../scripts/web/old-assets.ts';

test('a build has the assets of the one before it, and of none before that', async () => {
  const root = mkdtempSync(join(tmpdir(), 'turnkeeper-assets-'));
  try {
    const folders: string[] = [];
    for (const [n, names] of [
      ['app-a.js', 'same.js'],
      ['app-b.js', 'same.js'],
      ['app-c.js', 'same.js'],
    ].entries()) {
      const folder = join(root, `web-${n}`);
      mkdirSync(join(folder, 'assets'), { recursive: true });
      for (const name of names) writeFileSync(join(folder, 'assets', name), `${n}`);
      await keepOldAssets(folder, { folder, folders });
      utimesSync(folder, n + 1, n + 1);
      folders.push(folder);
    }
    const assets = folders.map((folder) => readdirSync(join(folder, 'assets')).sort());
    expect(assets).toEqual([
      ['app-a.js', 'same.js'],
      ['app-a.js', 'app-b.js', 'same.js'],
      ['app-b.js', 'app-c.js', 'same.js'],
    ]);
    expect(readFileSync(join(folders[2] ?? '', 'assets', 'same.js'), 'utf8')).toBe('2');
  } finally {
    rmSync(root, { recursive: true });
  }
});
