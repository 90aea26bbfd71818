import { describe, expect, test } from '@jest/globals';
import { Ajv } from 'ajv';
import { readdirSync } from 'node:fs';
import { parse } from 'yaml';
import { findWrong } from '../../bench/helm/judge.ts';
import { CHART, render } from '../../bench/helm/render.ts';
import { EVERY_CONFIG, EVERY_SECRET, NEVER, OWN, REFUSED, SETS, type Values } from '../../bench/helm/sets.ts';
import { readConfig, VARIABLES } from '../../platform/config/config.ts';
import { helmAtHand } from '../../scripts/services/helm.ts';
import { readProjectFile } from './compose-file.ts';

const read = (file: string) => readProjectFile(`deploy/helm/${file}`);
const schema = JSON.parse(read('values.schema.json'));
const values: Record<string, unknown> = parse(read('values.yaml'), { merge: true });
const templates = readdirSync(`${CHART}/templates`).map((file) => read(`templates/${file}`));
const validate = new Ajv({ strict: false }).compile(schema);

describe('values', () => {
  test('of the chart itself, and every set that it is rendered with, are what its schema asks for', () => {
    const together = [values, ...Object.values(SETS).map((set) => merged(values, set))];
    expect(together.map((all) => [validate(all), validate.errors])).toEqual(together.map(() => [true, null]));
  });

  test.each(Object.entries(REFUSED))('with %s are refused', (_what, set) => {
    expect(validate(merged(values, set))).toBe(false);
  });

  test('reach every variable that the program reads, secrets only by the name of a Secret', () => {
    const { config, secrets } = schema.properties;
    const reached = new Set([...OWN, ...NEVER, ...Object.keys(config.properties), ...Object.keys(secrets.properties)]);
    expect(VARIABLES.filter((name) => !reached.has(name))).toEqual([]);
    const official = /^(TEMPORAL_API_KEY|OTEL_EXPORTER_OTLP_HEADERS)$/;
    expect([...reached].filter((name) => !VARIABLES.includes(name) && !official.test(name))).toEqual([]);
    const secret = /(_KEY|_KEYS|_SECRET)$|^(DATABASE|DATABASE_DIRECT|REDIS|SMTP)_URL$/;
    expect(Object.keys(config.properties).filter((name) => secret.test(name))).toEqual(['TOSS_CLIENT_KEY']);
    expect(Object.keys(EVERY_CONFIG).sort()).toEqual(Object.keys(config.properties).sort());
    expect(Object.keys(EVERY_SECRET).sort()).toEqual(
      VARIABLES.filter((name) => secret.test(name) && name !== 'TOSS_CLIENT_KEY').sort(),
    );
    expect(() => readConfig({ NODE_ENV: 'production', ...textOf(EVERY_CONFIG), ...EVERY_SECRET })).not.toThrow();
  });

  test('are used, and nothing is used that is none', () => {
    const used = new Set(
      templates.flatMap((text) => [...text.matchAll(/\.Values\.(\w+(?:\.\w+)?)/g)].map(([, path]) => path ?? '')),
    );
    expect(
      [...used].filter((path) => at(values, path) === undefined && path !== 'config.SHUTDOWN_GRACE_SECONDS'),
    ).toEqual([]);
    const tops = new Set([...used].map((path) => path.split('.')[0]));
    expect(Object.keys(values).filter((name) => !tops.has(name))).toEqual([]);
  });
});

const helm = helmAtHand();
const withHelm = helm === null ? test.skip : test;

/** Kubernetes' own schemas, and Helm's lint: `npm run test:helm`, which also builds Helm where there is none. */
describe('rendered by Helm (skipped where there is none: npm run test:helm builds it)', () => {
  withHelm.each(Object.entries(SETS))('%s', async (_name, set) => {
    expect(findWrong(await render(helm ?? '', set), set)).toEqual([]);
  });

  withHelm('a mistake in the values is named', async () => {
    await expect(render(helm ?? '', { config: { SHUTDOWN_GRACE: 30 } })).rejects.toThrow('SHUTDOWN_GRACE');
  });
});

/** As Helm puts values together: maps by name, all else replaced. */
function merged(base: unknown, over: unknown): Record<string, unknown> {
  const isMap = (value: unknown): value is Record<string, unknown> =>
    typeof value === 'object' && value !== null && !Array.isArray(value);
  if (!isMap(base) || !isMap(over)) return over as Record<string, unknown>;
  const both = Object.entries(over).map(([name, value]) => [name, name in base ? merged(base[name], value) : value]);
  return { ...base, ...Object.fromEntries(both) };
}

function textOf(config: NonNullable<Values['config']>): Record<string, string> {
  return Object.fromEntries(Object.entries(config).map(([name, value]) => [name, String(value)]));
}

function at(from: unknown, path: string): unknown {
  return path.split('.').reduce<any>((value, name) => value?.[name], from);
}
