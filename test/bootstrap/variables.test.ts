import { expect, test } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { readConfig, VARIABLES } from '../../platform/config.ts';

const lines = readFileSync(join(import.meta.dirname, '../../.env.example'), 'utf8').split('\n');
const shown = new Map(lines.flatMap((line) => {
  const [, name, value] = /^# ([A-Z][A-Z_]+)=(.*)$/.exec(line) ?? [];
  return name === undefined || value === undefined ? [] : [[name, value] as const];
}));

/** Have no default, or one that depends: what is shown is an example. */
const EXAMPLES = ['HOST', 'DATABASE_URL', 'REDIS_URL', 'REDIS_HOST', 'TEMPORAL_ADDRESS', 'TEMPORAL_UI_URL', 'TEMPORAL_DEPLOYMENT_NAME', 'TEMPORAL_WORKER_BUILD_ID', 'OPENAI_API_KEY', 'OPENAI_BASE_URL', 'MODELS', 'METRICS_PORT', 'OTEL_EXPORTER_OTLP_ENDPOINT', 'LOG_FILE', 'WEB_DIR'];

test('.env.example names every variable the program reads, and no other', () => {
  expect([...shown.keys()].sort()).toEqual([...VARIABLES].sort());
});

test('a copy of .env.example with every default uncommented configures what no file at all does', () => {
  const defaults = Object.fromEntries([...shown].filter(([name]) => !EXAMPLES.includes(name)));
  expect({ ...readConfig(defaults), temporal: null }).toEqual({ ...readConfig({}), temporal: null });
});

test('a worker\'s version has both its names or is refused by the missing one, and none by default', () => {
  const both = { TEMPORAL_DEPLOYMENT_NAME: 'turnkeeper', TEMPORAL_WORKER_BUILD_ID: '7' };
  expect(readConfig(both).worker.version).toEqual({ deploymentName: 'turnkeeper', buildId: '7' });
  expect([readConfig({}).worker.version, readConfig({ TURNKEEPER_EMBEDDED: 'true' }).worker.version]).toEqual([null, null]);
  for (const name of ['TEMPORAL_DEPLOYMENT_NAME', 'TEMPORAL_WORKER_BUILD_ID']) expect(() => readConfig({ ...both, [name]: '' })).toThrow(`${name}: must be set together with`);
});

test('.ci/run calls npm test and passes its exit code on', () => {
  const commands = readFileSync(join(import.meta.dirname, '../../.ci/run'), 'utf8').split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  expect(commands).toEqual(['set -eu', 'cd "$(dirname "$0")/.."', 'exec npm test']);
});
