import { expect, test } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { readConfig, VARIABLES } from '../../platform/config/config.ts';

const lines = readFileSync(join(import.meta.dirname, '../../.env.example'), 'utf8').split('\n');
const shown = new Map(
  lines.flatMap((line) => {
    const [, name, value] = /^# ([A-Z][A-Z0-9_]+)=(.*)$/.exec(line) ?? [];
    return name === undefined || value === undefined ? [] : [[name, value] as const];
  }),
);

/** Variables without a default, or with one that depends on others: the file shows an example. */
const EXAMPLES = [
  'HOST',
  'DATABASE_URL',
  'DATABASE_DIRECT_URL',
  'REDIS_URL',
  'REDIS_HOST',
  'TEMPORAL_ADDRESS',
  'TEMPORAL_UI_URL',
  'TEMPORAL_CODEC_KEYS',
  'TEMPORAL_DEPLOYMENT_NAME',
  'TEMPORAL_WORKER_BUILD_ID',
  'OPENAI_API_KEY',
  'OPENAI_BASE_URL',
  'MODELS',
  'METRICS_PORT',
  'OTEL_EXPORTER_OTLP_ENDPOINT',
  'LOG_FILE',
  'WEB_DIR',
  'OIDC_ISSUER',
  'OIDC_AUDIENCE',
  'OIDC_CLIENT_ID',
  'OIDC_EXTRA_PARAMS',
  'OIDC_ADMIN_ROLE',
  'PUBLIC_URL',
  'PACKS',
  'DEMO_SHOP_URL',
  'STRIPE_SECRET_KEY',
  'STRIPE_WEBHOOK_SECRET',
  'TOSS_SECRET_KEY',
  'TOSS_CLIENT_KEY',
  'PAYMENTS_KEY',
  'SMTP_URL',
  'MAIL_FROM',
  'S3_ENDPOINT',
  'S3_BUCKET',
  'S3_ACCESS_KEY_ID',
  'S3_SECRET_ACCESS_KEY',
];

test('.env.example names every variable the program reads, and no other', () => {
  expect([...shown.keys()].sort()).toEqual([...VARIABLES].sort());
});

test('a copy of .env.example with every default uncommented configures what no file at all does', () => {
  const defaults = Object.fromEntries([...shown].filter(([name]) => !EXAMPLES.includes(name)));
  expect({ ...readConfig(defaults), temporal: null }).toEqual({ ...readConfig({}), temporal: null });
});

test('test routes come with the demo and its model only, or where somebody asks for them, and never in production', () => {
  const demo = { TURNKEEPER_EMBEDDED: 'true' };
  for (const [env, there] of [
    [demo, true],
    [{ ...demo, OPENAI_API_KEY: 'sk-1' }, false],
    [{ ...demo, OPENAI_BASE_URL: 'http://127.0.0.1:9/v1' }, false],
    [{ ...demo, TEST_ROUTES: 'false' }, false],
    [{ ...demo, NODE_ENV: 'production' }, false],
    [{}, false],
    [{ ...demo, OPENAI_API_KEY: 'sk-1', TEST_ROUTES: 'true' }, true],
    [{ TEST_ROUTES: 'true' }, true],
  ] as const)
    expect([env, readConfig(env).testRoutes]).toEqual([env, there]);
  expect(() => readConfig({ ...demo, NODE_ENV: 'production', TEST_ROUTES: 'true' })).toThrow('TEST_ROUTES');
});

test('a provider of payments is whole, of one mode and has a key to seal by, or is refused by the name of what is wrong', () => {
  const whole = {
    PUBLIC_URL: 'https://chat.example',
    TOSS_SECRET_KEY: 'test_sk_1',
    TOSS_CLIENT_KEY: 'test_ck_1',
    PAYMENTS_KEY: Buffer.alloc(32).toString('base64'),
  };
  expect(readConfig({}).payments.toss).toBeNull();
  expect(readConfig(whole).payments.toss).toMatchObject({ livemode: false, apiUrl: 'https://api.tosspayments.com' });
  const live = { TOSS_SECRET_KEY: 'live_sk_1', TOSS_CLIENT_KEY: 'live_ck_1' };
  expect(readConfig({ ...whole, ...live }).payments.toss).toMatchObject({ livemode: true });
  for (const name of Object.keys(whole))
    expect(() => readConfig({ ...whole, [name]: '' })).toThrow(`${name}: must be set`);
  for (const [change, name] of [
    [{ TOSS_CLIENT_KEY: 'live_ck_1' }, 'TOSS_CLIENT_KEY: must be of the same mode'],
    [{ TOSS_SECRET_KEY: 'test_ck_1' }, 'TOSS_SECRET_KEY: does not look like'],
    [{ PAYMENTS_KEY: 'short' }, 'PAYMENTS_KEY: must be 32 bytes'],
  ] as const)
    expect(() => readConfig({ ...whole, ...change })).toThrow(name);
  const stripe = {
    PUBLIC_URL: whole.PUBLIC_URL,
    PAYMENTS_KEY: whole.PAYMENTS_KEY,
    STRIPE_SECRET_KEY: 'sk_test_1',
    STRIPE_WEBHOOK_SECRET: 'whsec_1',
  };
  expect(readConfig(stripe).payments.stripe).toMatchObject({ livemode: false, apiUrl: 'https://api.stripe.com' });
  expect(readConfig({ ...stripe, STRIPE_SECRET_KEY: 'rk_live_1' }).payments.stripe).toMatchObject({ livemode: true });
  for (const name of Object.keys(stripe))
    expect(() => readConfig({ ...stripe, [name]: '' })).toThrow(`${name}: must be set`);
  for (const [change, name] of [
    [{ STRIPE_SECRET_KEY: 'pk_test_1' }, 'STRIPE_SECRET_KEY: does not look like'],
    [{ STRIPE_API_URL: 'https://stripe.example/api' }, 'STRIPE_API_URL: must be an origin'],
  ] as const)
    expect(() => readConfig({ ...stripe, ...change })).toThrow(name);
});

test("a worker's version has both its names or is refused by the missing one, and none by default", () => {
  const both = { TEMPORAL_DEPLOYMENT_NAME: 'turnkeeper', TEMPORAL_WORKER_BUILD_ID: '7' };
  expect(readConfig(both).worker.version).toEqual({ deploymentName: 'turnkeeper', buildId: '7' });
  expect([readConfig({}).worker.version, readConfig({ TURNKEEPER_EMBEDDED: 'true' }).worker.version]).toEqual([
    null,
    null,
  ]);
  for (const name of ['TEMPORAL_DEPLOYMENT_NAME', 'TEMPORAL_WORKER_BUILD_ID'])
    expect(() => readConfig({ ...both, [name]: '' })).toThrow(`${name}: must be set together with`);
});

test('an OIDC issuer is whole or refused by the name that is missing or wrong, and there is none by default', () => {
  const whole = { OIDC_ISSUER: 'https://id.example/', OIDC_AUDIENCE: 'https://api.example' };
  expect(readConfig({}).oidc).toBeNull();
  expect(readConfig(whole).oidc).toEqual({
    issuer: 'https://id.example/',
    audience: 'https://api.example',
    role: { claim: 'roles', adminRole: null },
    web: null,
  });
  expect(
    readConfig({
      ...whole,
      OIDC_CLIENT_ID: 'web',
      OIDC_EXTRA_PARAMS: 'audience=https%3A%2F%2Fapi.example&x=1',
      OIDC_ADMIN_ROLE: 'boss',
    }).oidc,
  ).toMatchObject({
    role: { claim: 'roles', adminRole: 'boss' },
    web: {
      issuer: 'https://id.example/',
      clientId: 'web',
      scopes: 'openid profile email',
      params: { audience: 'https://api.example', x: '1' },
    },
  });
  for (const name of ['OIDC_AUDIENCE', 'OIDC_CLIENT_ID', 'OIDC_EXTRA_PARAMS', 'OIDC_ADMIN_ROLE'])
    expect(() => readConfig({ [name]: 'x' })).toThrow(`${name}: means nothing without OIDC_ISSUER`);
  expect(() => readConfig({ ...whole, OIDC_AUDIENCE: '' })).toThrow(
    'OIDC_AUDIENCE: must be set together with OIDC_ISSUER',
  );
  expect(() => readConfig({ ...whole, OIDC_EXTRA_PARAMS: 'a=b' })).toThrow(
    'OIDC_EXTRA_PARAMS: means nothing without OIDC_CLIENT_ID',
  );
  expect(() => readConfig({ ...whole, OIDC_SCOPES: 'profile' })).toThrow('OIDC_SCOPES: must contain openid');
  for (const issuer of [
    'id.example',
    'http://id.example',
    'ftp://127.0.0.1',
    'https://id.example/?x=1',
    'https://id.example/#x',
  ])
    expect(() => readConfig({ ...whole, OIDC_ISSUER: issuer })).toThrow('OIDC_ISSUER: must be an https URL');
  expect(readConfig({ ...whole, OIDC_ISSUER: 'http://127.0.0.1:8080/realms/one' }).oidc).not.toBeNull();
});

test('.ci/run calls npm test and passes its exit code on', () => {
  const commands = readFileSync(join(import.meta.dirname, '../../.ci/run'), 'utf8')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'));
  expect(commands).toEqual(['set -eu', 'cd "$(dirname "$0")/.."', 'exec npm test']);
});
