import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { chownSync, chmodSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { plainEnvironment, wholeEnvironment } from '../../scripts/services/environment.ts';
import { closeToOthers } from '../../scripts/services/private-folder.ts';
import { runToEnd } from '../../scripts/services/program.ts';

let dataDir: string;
let umask: number;

beforeEach(() => {
  umask = process.umask(0o022);
  dataDir = mkdtempSync(join(tmpdir(), 'turnkeeper-private-'));
  chmodSync(dataDir, 0o755);
});
afterEach(() => {
  process.umask(umask);
  rmSync(dataDir, { recursive: true, force: true });
});

const modeOf = (...path: string[]) => (statSync(join(dataDir, ...path)).mode & 0o777).toString(8);

test('what an earlier version left open in DATA_DIR is closed, and what is written from now on', () => {
  for (const folder of ['logs', 'temporal', 'postgresql']) mkdirSync(join(dataDir, folder));
  for (const file of ['services.json', 'logs/application.log']) writeFileSync(join(dataDir, file), '');
  expect([modeOf(), modeOf('logs'), modeOf('logs', 'application.log')]).toEqual(['755', '755', '644']);
  closeToOthers(dataDir);
  writeFileSync(join(dataDir, 'logs', 'new.log'), '');
  mkdirSync(join(dataDir, 'redis'));
  expect([modeOf(), modeOf('logs'), modeOf('temporal'), modeOf('redis')]).toEqual(['700', '700', '700', '700']);
  expect([modeOf('services.json'), modeOf('logs', 'application.log'), modeOf('logs', 'new.log')]).toEqual([
    '600',
    '600',
    '600',
  ]);
  // The server's user closes its folder itself.
  expect(modeOf('postgresql')).toBe('755');
});

test("the server's user still passes through to a cluster of its own that lies inside", () => {
  mkdirSync(join(dataDir, 'postgresql', 'data'), { recursive: true });
  const cluster = join(dataDir, 'postgresql', 'data');
  closeToOthers(dataDir);
  expect(modeOf()).toBe('700');
  // Only root can give a folder away, and only where root starts is the server another user.
  if (process.getuid?.() !== 0) return;
  chownSync(cluster, 65_534, 65_534);
  closeToOthers(dataDir);
  expect(modeOf()).toBe('711');
});

test('a program of others is told where things lie, and no secret, however it is called', async () => {
  const secrets = {
    OPENAI_API_KEY: 'sk-1',
    DATABASE_URL: 'postgres://u:secret@h/d',
    REDIS_URL: 'redis://:secret@h',
    TEMPORAL_API_KEY: 'secret',
    OTEL_EXPORTER_OTLP_HEADERS: 'authorization=secret',
    NODE_AUTH_TOKEN: 'npm_secret',
    npm_config__authToken: 'secret',
    AWS_SECRET_ACCESS_KEY: 'secret',
    PGPASSWORD: 'secret',
    SOME_THING_NEW: 'secret',
  };
  const before = { ...process.env };
  Object.assign(process.env, secrets, { TZ: 'Asia/Seoul', HTTPS_PROXY: 'http://proxy.example:3128' });
  try {
    expect(plainEnvironment()).toMatchObject({ PATH: process.env['PATH'], TZ: 'Asia/Seoul' });
    const { output } = await runToEnd('/usr/bin/env', [], { env: { GIVEN: 'yes' }, withinMs: 10_000 });
    expect(output).toContain('GIVEN=yes');
    // Downloads need the way out; a service that runs does not.
    expect([output.includes('HTTPS_PROXY='), 'HTTPS_PROXY' in plainEnvironment()]).toEqual([true, false]);
    expect(Object.keys(secrets).filter((name) => output.includes(`${name}=`) || name in plainEnvironment())).toEqual(
      [],
    );
    // The control: the app, which is ours, is given all of it.
    expect(wholeEnvironment()).toMatchObject(secrets);
  } finally {
    for (const name of [...Object.keys(secrets), 'TZ', 'HTTPS_PROXY'])
      if (before[name] === undefined) delete process.env[name];
      else process.env[name] = before[name];
  }
});
