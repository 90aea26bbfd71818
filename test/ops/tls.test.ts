import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { createClient } from 'redis';
import { openDatabase } from '../../db/database.ts';
import { openRedis } from '../../platform/redis.ts';
import type { Logger } from '../../platform/telemetry/log.ts';
import { openCrashStage, type CrashStage } from '../crash/stage.ts';
import { makeAuthority } from '../support/certificates.ts';
import { redisUrl, required } from '../support/stack.ts';
import { openTlsDoor, type TlsDoor } from '../support/tls-door.ts';

/**
 * Managed services: PostgreSQL and Temporal ask for a client's certificate, Redis for a user of its own with few
 * rights, and all of them are reached by TLS alone, under an authority that only the operator knows.
 */
const folder = mkdtempSync(join(tmpdir(), 'turnkeeper-tls-'));
const authority = makeAuthority('Authority of the test');
const [ours, client, strange] = [authority.issue('localhost'), authority.issue('turnkeeper'), makeAuthority('Another')];
const user = { name: `turnkeeper-${process.pid}`, password: 'a word of the test' };
/** What this program does in Redis, and nothing that an operator must forbid. */
const RIGHTS = ['reset', 'on', `>${user.password}`, '~*', '&*', '+@all', '-@admin', '-@dangerous'];

let stage: CrashStage;
const redis = createClient({ url: redisUrl() });
let doors: Record<'postgresql' | 'redis' | 'temporal', TlsDoor>;
let variables: Record<string, string>;

const fileOf = (name: string, text: string) => {
  const file = join(folder, name);
  writeFileSync(file, text, { mode: 0o600 });
  return file;
};

beforeAll(async () => {
  [stage] = await Promise.all([openCrashStage(), redis.connect()]);
  await redis.sendCommand(['ACL', 'SETUSER', user.name, ...RIGHTS]);
  const asking = { ...ours, ca: authority.cert, requestCert: true, rejectUnauthorized: true };
  const [postgresql, redisDoor, temporal] = await Promise.all([
    openTlsDoor({ ...asking, target: stage.db.url, asksFirst: true }),
    openTlsDoor({ ...ours, target: redisUrl() }),
    openTlsDoor({ ...asking, target: required('TEST_TEMPORAL_ADDRESS'), ALPNProtocols: ['h2'] }),
  ]);
  doors = { postgresql, redis: redisDoor, temporal };
  const [ca, cert, key] = [
    fileOf('ca.crt', authority.cert),
    fileOf('tls.crt', client.cert),
    fileOf('tls.key', client.key),
  ];
  const database = new URL(stage.db.url);
  database.host = `localhost:${postgresql.port}`;
  database.search = new URLSearchParams({
    sslmode: 'verify-full',
    sslrootcert: ca,
    sslcert: cert,
    sslkey: key,
  }).toString();
  const cache = new URL(redisUrl());
  [cache.protocol, cache.username, cache.password] = ['rediss:', user.name, user.password];
  cache.host = `localhost:${redisDoor.port}`;
  variables = {
    DATABASE_URL: database.href,
    REDIS_URL: cache.href,
    NODE_EXTRA_CA_CERTS: ca,
    TEMPORAL_ADDRESS: `localhost:${temporal.port}`,
    TEMPORAL_TLS: 'true',
    TEMPORAL_TLS_SERVER_CA_CERT_PATH: ca,
    TEMPORAL_TLS_CLIENT_CERT_PATH: cert,
    TEMPORAL_TLS_CLIENT_KEY_PATH: key,
  };
}, 60_000);
afterAll(async () => {
  await redis.sendCommand(['ACL', 'DELUSER', user.name]);
  redis.destroy();
  await stage?.close();
  for (const door of Object.values(doors ?? {})) await door.close();
  rmSync(folder, { recursive: true, force: true });
});

test('a turn runs where PostgreSQL, Redis and Temporal are reached by TLS alone', async () => {
  await stage.start('all', variables);
  const someone = await stage.person();
  stage.model.next({ chunks: ['by ', 'TLS'] });
  const { status, body } = await someone.call('POST', '/api/chat/send', { message: 'x' });
  expect([status, body.state, body.content]).toEqual([200, 'completed', 'by TLS']);
  // Two probes of the pooler came first; Redis has two connections.
  expect(doors.postgresql.counts.passed).toBeGreaterThan(2);
  expect([doors.postgresql.counts.refused, doors.redis.counts]).toEqual([0, { passed: 2, refused: 0 }]);
  expect(doors.temporal.counts.passed).toBeGreaterThan(0);
  const { body: ready } = await someone.call('GET', '/health/ready');
  expect(ready).toMatchObject({ postgresql: 'ok', temporal: 'ok', redis: 'ok' });
}, 60_000);

test('an address that asks for less, or trusts another authority, reaches no server', async () => {
  const asked = variables['DATABASE_URL'] ?? '';
  const otherwise = (change: (search: URLSearchParams) => void) => {
    const url = new URL(asked);
    change(url.searchParams);
    return url.href;
  };
  const reach = async (url: string) => {
    const database = await openDatabase({ url, poolMax: 1 });
    try {
      await database.ping();
    } finally {
      await database.close();
    }
  };
  await reach(asked);
  const { passed } = doors.postgresql.counts;
  await expect(reach(otherwise((search) => search.delete('sslmode')))).resolves.toBeUndefined();
  for (const [url, why] of [
    [otherwise((search) => [...search.keys()].forEach((name) => search.delete(name))), /Connection terminated/],
    [otherwise((search) => search.set('sslrootcert', fileOf('strange.crt', strange.cert))), /certificate/],
    [otherwise((search) => search.set('sslkey', join(folder, 'none'))), /^DATABASE_URL: ENOENT/],
  ] as const)
    await expect(reach(url)).rejects.toThrow(why);
  expect(doors.postgresql.counts.passed).toBe(passed + 1);
});

test('a Redis of an authority that the process does not know is away, and the log says why', async () => {
  const told: unknown[] = [];
  const { counts } = doors.redis;
  const { passed } = counts;
  const apart = await openRedis(variables['REDIS_URL'] ?? '', {
    info: () => {},
    warn: (fields: unknown) => told.push(fields),
  } as Pick<Logger, 'info' | 'warn'>);
  expect([apart.isReady(), counts.passed]).toEqual([false, passed]);
  expect(JSON.stringify(told)).toMatch(/UNABLE_TO_VERIFY_LEAF_SIGNATURE|SELF_SIGNED_CERT_IN_CHAIN/);
  await apart.close();
});
