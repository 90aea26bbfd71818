import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { parse } from 'yaml';
import { ERROR_CODES, TURN_FAILURE_CODES, TURN_REFUSALS } from '../../domain/errors.ts';
import { createMetrics } from '../../platform/telemetry/metrics.ts';
import { openMetricsDoor } from '../../platform/telemetry/metrics-door.ts';
import { RECONCILE_SCHEDULE_ID } from '../../workflows/contract/ids.ts';
import { GREETING } from '../fake-model/play.ts';
import { Gate } from '../fake-model/scenario.ts';
import { readEvents } from '../support/events.ts';
import { startTestStack, type Person, type TestStack } from '../support/stack.ts';
import { until } from '../support/until.ts';
import { familyOf, parseExposition, valueOf, type Exposition } from './exposition.ts';
import { parseQuery } from './promql.ts';

const STREAM = { accept: 'text/event-stream' };
const PREFIX = 'metrics-test-';
let stack: TestStack;
let person: Person;

beforeAll(async () => {
  // It sells by a shop that is away, so that all figures of payments are there.
  const shop = { DEMO_SHOP_URL: 'http://127.0.0.1:9', PUBLIC_URL: 'http://127.0.0.1:9' };
  stack = await startTestStack({ TASK_QUEUE_PREFIX: PREFIX, ...shop });
  person = await stack.person();
});
afterAll(() => stack.close());

const scrape = async (): Promise<Exposition> => parseExposition(await stack.metrics.render());
/** How much a figure changes while `work` runs. */
async function moved(
  work: () => Promise<unknown>,
  ...figures: readonly (readonly [name: string, labels?: Record<string, string>])[]
): Promise<number[]> {
  const before = await scrape();
  await work();
  const after = await scrape();
  return figures.map(([name, labels]) => valueOf(after, name, labels) - valueOf(before, name, labels));
}

const send = (body: object, headers: Record<string, string> = {}) =>
  person.call('POST', '/api/chat/send', body, headers);
const turns = (outcome: string, code = 'none') => ['turnkeeper_turns_total', { outcome, code }] as const;

describe('who may look', () => {
  test('through the API: admins only, told apart from strangers and users', async () => {
    const admin = await stack.person('admin');
    const response = await admin.raw('GET', '/metrics');
    expect([response.status, response.headers.get('content-type')]).toEqual([
      200,
      'text/plain; version=0.0.4; charset=utf-8',
    ]);
    expect(parseExposition(await response.text()).families.get('turnkeeper_turns_total')?.type).toBe('counter');
    expect((await fetch(`${stack.url}/metrics`)).status).toBe(401);
    expect(await person.call('GET', '/metrics')).toMatchObject({ status: 403, body: { code: 'forbidden' } });
    expect((await admin.call('POST', '/metrics')).status).toBe(405);
  });

  test('on a port of its own: whoever reaches it, and nothing but the metrics', async () => {
    const door = await openMetricsDoor(stack.metrics, { host: '127.0.0.1', port: 0 });
    const scraped = await fetch(door.url);
    expect(parseExposition(await scraped.text()).samples.length).toBeGreaterThan(100);
    for (const { headers } of [scraped, await fetch(new URL('/', door.url))])
      expect(Object.fromEntries(headers)).toMatchObject({
        'cache-control': 'no-store',
        'x-content-type-options': 'nosniff',
        'x-frame-options': 'DENY',
        'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
      });
    for (const [path, method] of [
      ['/', 'GET'],
      ['/metrics/x', 'GET'],
      ['/api/me', 'GET'],
      ['/metrics', 'POST'],
    ] as const) {
      expect((await fetch(new URL(path, door.url), { method })).status).toBe(404);
    }
    const taken = { host: '127.0.0.1', port: Number(new URL(door.url).port) };
    await expect(openMetricsDoor(stack.metrics, taken)).rejects.toThrow(
      /METRICS_PORT: 127\.0\.0\.1:\d+ cannot be used/,
    );
    await door.close();
  });
});

describe('a turn counts once', () => {
  test('completed: with its debit, its model call and the parts of its first delta', async () => {
    stack.model.next({ usage: { prompt_tokens: 21, completion_tokens: 9 } });
    const [ended, debited, calls, request] = await moved(
      async () => {
        const events = await readEvents(await person.raw('POST', '/api/chat/send', { message: '안녕' }, STREAM));
        const { turnId } = events.at(-1)?.data.turn;
        // A turn that is sent again gets the stored answer: no turn, no call, no debit.
        await send({ message: '안녕', turnId });
      },
      turns('completed'),
      ['turnkeeper_debited_tokens_total'],
      ['turnkeeper_attempts_total', { outcome: 'answered' }],
      ['turnkeeper_http_request_duration_seconds_count', { method: 'POST', route: '/api/chat/send', status: '200' }],
    );
    expect([ended, debited, calls, request]).toEqual([1, 30, 1, 2]);
  });

  test('each part of the time to the first delta is timed once, and together they are no longer than the whole', async () => {
    const parts = ['accept', 'hold', 'start', 'model'] as const;
    const counts = parts.map((part) => ['turnkeeper_first_delta_part_seconds_count', { part }] as const);
    const sums = parts.map((part) => ['turnkeeper_first_delta_part_seconds_sum', { part }] as const);
    stack.model.next({ delayMs: 60 });
    const [whole, wholeTime = 0, ...figures] = await moved(
      async () => {
        await readEvents(await person.raw('POST', '/api/chat/send', { message: '안녕' }, STREAM));
      },
      ['turnkeeper_time_to_first_delta_seconds_count'],
      ['turnkeeper_time_to_first_delta_seconds_sum'],
      ...counts,
      ...sums,
    );
    expect([whole, ...figures.slice(0, 4)]).toEqual([1, 1, 1, 1, 1]);
    const [accept = 0, hold = 0, start = 0, model = 0] = figures.slice(4);
    for (const part of [accept, hold, model]) expect(part).toBeGreaterThan(0);
    expect(model).toBeGreaterThanOrEqual(0.05);
    // Time between the parts is not counted twice. `start` alone lies between two clocks of a millisecond each.
    expect(accept + model).toBeLessThan(wholeTime);
    expect(accept + hold + start + model).toBeLessThan(wholeTime + hold + 0.005);
  });

  test('failed, by its code; each call of the model by its own', async () => {
    stack.model.next({ status: 401 });
    expect(
      await moved(
        () => send({ message: '안녕' }),
        turns('failed', 'model_rejected'),
        ['turnkeeper_turns_total'],
        ['turnkeeper_attempts_total', { outcome: 'model_rejected' }],
        ['turnkeeper_http_errors_total', { code: 'model_rejected' }],
      ),
    ).toEqual([1, 1, 1, 1]);
    stack.model.next({ status: 500, headers: { 'retry-after-ms': '10' } });
    expect(
      await moved(
        () => send({ message: '안녕' }),
        turns('completed'),
        ['turnkeeper_attempts_total', { outcome: 'model_unavailable' }],
        ['turnkeeper_attempts_total', { outcome: 'answered' }],
      ),
    ).toEqual([1, 1, 1]);
  });

  test('stopped, after the first delta and before any', async () => {
    for (const [point, tokens] of [
      [2, 1],
      ['first-delta', 0],
    ] as const) {
      const gate = new Gate(point);
      stack.model.next({ gate });
      const [ended, all, debited = 0] = await moved(
        async () => {
          const { body } = await send({ message: '안녕' }, { prefer: 'respond-async' });
          await gate.reached;
          await person.call('POST', `/api/chat/turns/${body.turnId}/stop`);
          await readEvents(await person.raw('GET', `/api/chat/turns/${body.turnId}/events`));
        },
        turns('stopped'),
        ['turnkeeper_turns_total'],
        ['turnkeeper_debited_tokens_total'],
      );
      expect([ended, all, Math.min(debited, 1)]).toEqual([1, 1, tokens]);
    }
  });

  test('refused: no model call, and the error by its code', async () => {
    const poor = await stack.person();
    await poor.call('POST', '/api/ai-usage/test-usage', { userId: poor.userId, usagePercent: 105 });
    expect(
      await moved(
        () => poor.call('POST', '/api/chat/send', { message: '안녕' }),
        turns('refused', 'TOKEN_EXHAUSTED'),
        ['turnkeeper_turns_total'],
        ['turnkeeper_attempts_total'],
        ['turnkeeper_http_errors_total', { code: 'TOKEN_EXHAUSTED' }],
      ),
    ).toEqual([1, 1, 0, 1]);
  });
});

test('every ending a turn may have is there from the start, at zero', async () => {
  const { samples } = parseExposition(await createMetrics({ role: 'all', readSdk: null }).render());
  const endings = samples.filter(({ name }) => name === 'turnkeeper_turns_total');
  const codesOf = (outcome: string) =>
    endings.filter(({ labels }) => labels.outcome === outcome).map(({ labels }) => labels.code);
  expect(codesOf('refused')).toEqual([...TURN_REFUSALS]);
  expect(codesOf('failed')).toEqual([...TURN_FAILURE_CODES]);
  expect(new Set(endings.map(({ value }) => value))).toEqual(new Set([0]));
});

describe('what is looked up', () => {
  test('live turns, holds and open streams while an answer is under way, and none after it', async () => {
    const gate = new Gate('first-delta');
    stack.model.next({ gate });
    const names = ['turnkeeper_live_turns', 'turnkeeper_live_holds', 'turnkeeper_open_streams'];
    const response = await person.raw('POST', '/api/chat/send', { message: '안녕', maxOutputTokens: 300 }, STREAM);
    await gate.reached;
    // A scrape's figures may be a second old.
    const each = (value: number) => async () => {
      const seen = await scrape();
      return names.every((name) => valueOf(seen, name) === value);
    };
    await until(each(1));
    expect(valueOf(await scrape(), 'turnkeeper_held_tokens')).toBeGreaterThan(300);
    gate.open();
    await readEvents(response);
    await until(each(0));
    expect(valueOf(await scrape(), 'turnkeeper_held_tokens')).toBe(0);
    expect(valueOf(await scrape(), 'turnkeeper_overload_bound_turns')).toBe(500);
    expect(valueOf(await scrape(), 'turnkeeper_starting_turns')).toBe(0);
    expect(valueOf(await scrape(), 'turnkeeper_starting_turns_bound')).toBeGreaterThan(0);
  });

  test("a schedule's firing: when it was, how late, and what reconcile found", async () => {
    await stack.temporal.client.schedule.getHandle(`${PREFIX}${RECONCILE_SCHEDULE_ID}`).trigger();
    const labels = { workflowType: 'reconcile' };
    await until(async () => valueOf(await scrape(), 'turnkeeper_schedule_lag_seconds_count', labels) === 1);
    const after = await scrape();
    expect(
      Math.abs(valueOf(after, 'turnkeeper_schedule_fired_timestamp_seconds', labels) - Date.now() / 1_000),
    ).toBeLessThan(60);
    expect(valueOf(after, 'turnkeeper_schedule_lag_seconds_sum', labels)).toBeLessThan(60);
    // A firing is no proof: it has an end of its own, which a scrape finds in PostgreSQL.
    await until(async () => valueOf(await scrape(), 'turnkeeper_proof_completed_timestamp_seconds') > 0);
    const proved = await scrape();
    expect(Math.abs(valueOf(proved, 'turnkeeper_proof_completed_timestamp_seconds') - Date.now() / 1_000)).toBeLessThan(
      60,
    );
    expect(valueOf(proved, 'turnkeeper_proof_mismatches')).toBe(0);
    expect(
      after.samples
        .filter(({ name }) => name === 'turnkeeper_reconcile_findings_total')
        .map(({ labels: { finding } }) => finding)
        .sort(),
    ).toEqual(['expired_holds', 'failed', 'interrupted', 'mismatches', 'payments', 'redrives', 'settled', 'started']);
  });

  test("the SDK's own figures are in the same scrape", async () => {
    const { families } = await scrape();
    for (const name of [
      'temporal_worker_task_slots_available',
      'temporal_request_latency_seconds',
      'temporal_workflow_completed_total',
    ])
      expect(families.has(name)).toBe(true);
  });
});

describe('names and labels', () => {
  const OURS = /^turnkeeper_/;

  test("ours are what Prometheus's conventions ask for", async () => {
    for (const [name, { type, help }] of (await scrape()).families) {
      if (!OURS.test(name)) continue;
      expect([name, help ?? '']).toEqual([name, expect.stringMatching(/\S/)]);
      expect([name, type === 'counter']).toEqual([name, name.endsWith('_total')]);
      if (type === 'histogram') expect(name).toMatch(/_seconds$/);
      expect(name).toMatch(/^[a-z_]+$/);
      expect(name).not.toMatch(/_(ms|milliseconds|count|sum|bucket)$/);
    }
  });

  test('no label holds an id, an address or a word of a chat, whatever was asked', async () => {
    await person.call('GET', '/api/no/such/5f0c/address');
    await person.call('GET', `/api/conversations/${randomUUID()}`);
    const { samples } = await scrape();
    expect(samples.filter(({ name, labels }) => OURS.test(name) && isUnbounded(labels))).toEqual([]);
    expect(samples.filter(({ labels }) => isUnbounded(labels)).map(({ name }) => name)).toEqual([]);
    expect(
      new Set(
        samples
          .filter(({ name }) => name === 'turnkeeper_http_request_duration_seconds_count')
          .map(({ labels: { route } }) => route),
      ),
    ).toEqual(
      new Set([
        'none',
        '/metrics',
        '/api/chat/send',
        '/api/chat/turns/:turnId/stop',
        '/api/chat/turns/:turnId/events',
        '/api/ai-usage/test-usage',
        '/api/conversations/:conversationId',
      ]),
    );
  });

  test('such a label would be found', () => {
    for (const value of [randomUUID(), 'turn/1/abc', 'user 17', '12345678', 'who@example.com', '안녕', 'a'.repeat(80)])
      expect(isUnbounded({ label: value })).toBe(true);
    for (const value of [
      'completed',
      'TOKEN_EXHAUSTED',
      '/api/chat/turns/:turnId',
      '200',
      '0.005',
      'gpt-4.1-mini',
      'metrics-test-turns',
    ])
      expect(isUnbounded({ label: value })).toBe(false);
  });

  function isUnbounded(labels: Readonly<Record<string, string>>): boolean {
    return Object.entries(labels).some(
      ([label, value]) =>
        label !== 'le' && (!/^[\w./:+-]{0,60}$/.test(value) || /[0-9a-f]{8}|\d{5}|^turn\//i.test(value)),
    );
  }
});

describe('what is read from them', () => {
  const dashboard = JSON.parse(readFileSync(new URL('../../docs/grafana/turnkeeper.json', import.meta.url), 'utf8'));
  const rules = parse(readFileSync(new URL('../../docs/alerts.yml', import.meta.url), 'utf8'));
  const panels: { id: number; title: string; type: string; targets?: { expr: string }[] }[] = dashboard.panels;
  const alerts: { alert: string; expr: string; labels: { severity: string }; annotations: { summary: string } }[] =
    rules.groups.flatMap(({ rules: group }: any) => group);

  /** The names that a query uses and nothing exposes. */
  function unknownIn(query: string, { families, samples }: Exposition): string[] {
    const { names, matchers, grouped } = parseQuery(query);
    const has = (name: string, label: string, value: string | null) =>
      samples.some(
        (sample) => sample.name === name && (value === null ? label in sample.labels : sample.labels[label] === value),
      );
    return [
      ...names.filter((name) => familyOf(name, families) === null),
      // A code has a series only from its first error on; the list of codes is closed.
      ...matchers
        .filter(
          ({ name, label, value }) =>
            !has(name, label, value) && !(label === 'code' && ERROR_CODES.some((code) => code === value)),
        )
        .map(({ name, label, value }) => `${name}{${label}=${value}}`),
      // Prometheus itself adds the instance to each sample.
      ...grouped.filter((label) => label !== 'instance' && !names.some((name) => has(name, label, null))),
    ];
  }

  test('every panel of the dashboard and every alert asks for what is really exposed', async () => {
    const exposition = await scrape();
    const queries = [
      ...panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr)),
      ...alerts.map(({ expr }) => expr),
    ];
    expect(queries.length).toBeGreaterThan(40);
    expect(queries.flatMap((query) => unknownIn(query, exposition).map((what) => `${what} in ${query}`))).toEqual([]);
  });

  test('what reconcile finds and does not mend by itself has an alert of its own', () => {
    const watched = alerts
      .flatMap(({ expr }) => parseQuery(expr).matchers)
      .filter(({ name }) => name === 'turnkeeper_reconcile_findings_total')
      .map(({ value }) => value);
    expect(watched.sort()).toEqual(['failed', 'interrupted']);
    // These stand in PostgreSQL, so they are seen whichever worker found them, and after its end.
    expect(alerts.flatMap(({ expr }) => parseQuery(expr).names)).toEqual(
      expect.arrayContaining(['turnkeeper_proof_mismatches', 'turnkeeper_proof_completed_timestamp_seconds']),
    );
  });

  test('an invented name, label or value would be found, and what is no PromQL refused', async () => {
    const exposition = await scrape();
    expect(unknownIn('rate(turnkeeper_turns_ended_total[5m])', exposition)).toEqual(['turnkeeper_turns_ended_total']);
    expect(unknownIn('turnkeeper_turns_total{result="failed"}', exposition)).toEqual([
      'turnkeeper_turns_total{result=failed}',
    ]);
    expect(unknownIn('turnkeeper_turns_total{outcome="lost"}', exposition)).toEqual([
      'turnkeeper_turns_total{outcome=lost}',
    ]);
    expect(unknownIn('sum by (user) (turnkeeper_turns_total)', exposition)).toEqual(['user']);
    expect(() => parseQuery('sum by (code (turnkeeper_turns_total)')).toThrow('not PromQL');
  });

  test('alerts say what they are for, panels have ids and titles of their own', () => {
    for (const { labels, annotations } of alerts)
      expect([labels.severity, annotations.summary]).toEqual([
        expect.stringMatching(/^(page|ticket)$/),
        expect.stringMatching(/\S/),
      ]);
    expect(new Set(alerts.map(({ alert }) => alert)).size).toBe(alerts.length);
    expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
    expect(new Set(panels.map(({ title }) => title)).size).toBe(panels.length);
  });
});

// This test is last, because it takes this stack's Redis away for good.
test('text that never went through Redis is counted, and the answer is whole all the same', async () => {
  stack.redis.commands.destroy();
  expect(
    await moved(async () => {
      const { body } = await send({ message: '안녕' });
      expect(body.content).toBe(GREETING.join(''));
    }, ['turnkeeper_delta_characters_dropped_total']),
  ).toEqual([GREETING.join('').length]);
  expect(valueOf(await scrape(), 'turnkeeper_redis_up', { connection: 'commands' })).toBe(0);
  expect(valueOf(await scrape(), 'turnkeeper_redis_up', { connection: 'subscriber' })).toBe(1);
});
