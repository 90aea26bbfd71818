import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { installPackage } from '../../scripts/services/apt.ts';
import { until } from '../support/until.ts';

/** As the real one: it refuses beside another, leaves nothing usable when it is ended, and makes a program. */
const APT_GET = `#!/bin/sh
cd "$(dirname "$0")"
echo "$@" >> calls
[ "$1" = update ] && exit 0
for name; do :; done
mkdir lock || { echo 'E: Unable to acquire the dpkg frontend lock'; exit 100; }
sleep 0.3
printf '#!/bin/sh\\n' > "$name" && chmod +x "$name"
rmdir lock
`;

const getuid = Object.getOwnPropertyDescriptor(process, 'getuid') ?? {};
let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'turnkeeper-apt-'));
  writeFileSync(join(folder, 'apt-get'), APT_GET);
  chmodSync(join(folder, 'apt-get'), 0o755);
  process.env['PATH'] = [folder, process.env['PATH']].join(delimiter);
  Object.defineProperty(process, 'getuid', { ...getuid, value: () => 0 });
});

afterEach(() => {
  Object.defineProperty(process, 'getuid', getuid);
  rmSync(folder, { recursive: true, force: true });
});

test('packages that are missing at the same time are all installed, one after the other', async () => {
  const { signal } = new AbortController();
  const names = ['tk-one', 'tk-two', 'tk-three'];
  const found = await Promise.all(names.map((name) => installPackage(name, [name], signal)));
  expect(found).toEqual(names.map((name) => join(folder, name)));
});

test('the lists are fetched once, and two who want one package install it once', async () => {
  const { signal } = new AbortController();
  await Promise.all([installPackage('tk-one', ['tk-one'], signal), installPackage('tk-one', ['tk-one'], signal)]);
  const calls = readFileSync(join(folder, 'calls'), 'utf8').trim().split('\n');
  expect(calls.filter((call) => call.startsWith('install'))).toHaveLength(1);
  expect(calls.filter((call) => call.startsWith('update')).length).toBeLessThanOrEqual(1);
});

test('a stop lets the package that is being installed come whole, and begins no other', async () => {
  const stopping = new AbortController();
  const [first, second] = ['tk-one', 'tk-two'].map((name) => installPackage(name, [name], stopping.signal));
  await until(() => existsSync(join(folder, 'lock')));
  stopping.abort();
  expect(await first).toBe(join(folder, 'tk-one'));
  expect(await second).toBeNull();
  expect(existsSync(join(folder, 'lock'))).toBe(false);
});
