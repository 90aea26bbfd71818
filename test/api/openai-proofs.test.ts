import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { sql } from 'kysely';
import OpenAI from 'openai';
import { readOvershoot } from '../../db/reports/figures.ts';
import { createLog } from '../../platform/telemetry/log.ts';
import { RECONCILE_SCHEDULE_ID, turnWorkflowId } from '../../workflows/contract/ids.ts';
import { startCollector, type Collector } from '../ops/otlp-collector.ts';
import { Gate } from '../fake-model/scenario.ts';
import { openLossy } from '../support/lossy.ts';
import { startTestStack, type Person, type TestStack } from '../support/stack.ts';
import { TestSchedule } from '../support/schedules.ts';
import { TestTurn } from '../support/turn.ts';
import { until } from '../support/until.ts';

const MODEL = 'gpt-4.1-mini';
const CANARY = 'canary-9c41e';
const folder = mkdtempSync(join(tmpdir(), 'turnkeeper-door-'));
const logFile = join(folder, 'application.log');
let collector: Collector;
let stack: TestStack;

beforeAll(async () => {
  collector = await startCollector();
  stack = await startTestStack(
    { OTEL_EXPORTER_OTLP_ENDPOINT: `${collector.url}/` },
    { log: createLog({ name: 'door', level: 'trace', file: logFile }) },
  );
});
afterAll(async () => {
  await stack.close();
  await collector.close();
  rmSync(folder, { recursive: true });
});

interface Books {
  readonly turns: number;
  readonly debits: number;
  readonly live: number;
}

async function booksOf({ userId }: Person): Promise<Books> {
  const { rows } = await sql<Books>`select count(*)::int as turns,
      (select count(*)::int from ledger_entries e join turns d on d.id = e.turn_id where d.user_id = ${userId} and e.kind = 'debit') as debits,
      (count(*) filter (where state in ('accepted', 'running')))::int as live
    from turns where user_id = ${userId}`.execute(stack.db.database.sql);
  return rows[0] ?? { turns: -1, debits: -1, live: -1 };
}

async function lastTurnOf({ userId }: Person): Promise<{ id: string; state: string }> {
  const { rows } = await sql<{
    id: string;
    state: string;
  }>`select id, state from turns where user_id = ${userId} order by created_at desc limit 1`.execute(
    stack.db.database.sql,
  );
  return rows[0] ?? { id: '', state: '' };
}

// Half of them are streamed, and a third asks the very same, so that retries of one body meet turns of each other's.
test.each([
  ['a hundred connections cut before their first byte: a hundred answers, debits and model calls', true, 10, 100],
  ['control: without the header that tells of a retry it is two of each', false, 2, 40],
] as const)(
  '%s',
  async (_name, keepsHeader, times, calls) => {
    const someone = await stack.person();
    const lossy = await openLossy(stack.url, { keepsHeader });
    const before = stack.model.requests.length;
    const client = new OpenAI({ apiKey: someone.token, baseURL: `${lossy.url}/v1`, maxRetries: 3 });
    const ask = async (i: number) => {
      const asked = {
        model: MODEL,
        max_completion_tokens: 20,
        messages: [{ role: 'user' as const, content: i % 3 === 0 ? 'Say the same' : `Say ${i}` }],
      };
      if (i % 2 === 0) return (await client.chat.completions.create(asked)).choices[0]?.message.content;
      let text = '';
      for await (const { choices } of await client.chat.completions.create({ ...asked, stream: true }))
        text += choices[0]?.delta.content ?? '';
      return text;
    };
    const answers: (string | null | undefined)[] = [];
    for (let wave = 0; wave < times; wave += 1) {
      // The model waits until all ten turns stand and their connections are gone.
      const gate = new Gate('request');
      for (let i = 0; i < 10; i += 1) stack.model.next({ gate });
      const { turns } = await booksOf(someone);
      const asks = Array.from({ length: 10 }, (_, i) => ask(wave * 10 + i));
      await until(async () => (await booksOf(someone)).turns === turns + 10);
      lossy.cut();
      gate.open();
      answers.push(...(await Promise.all(asks)));
    }
    expect(answers).toEqual(Array(10 * times).fill('안녕하세요. 무엇을 도와드릴까요?'));
    expect(lossy.cuts()).toBe(10 * times);
    await until(async () => (await booksOf(someone)).live === 0);
    expect(await booksOf(someone)).toEqual({ turns: calls, debits: calls, live: 0 });
    expect(stack.model.requests.length - before).toBe(calls);
    await lossy.close();
  },
  180_000,
);

test('races over both doors never pass the ceiling, and each door has its share', async () => {
  const someone = await stack.person();
  await someone.call('POST', '/api/ai-usage/test-usage', { userId: someone.userId, usagePercent: 97 });
  const door = (path: string, body: object) => someone.call('POST', path, { model: MODEL, ...body });
  const seen = new Map<string, number>();
  const note = (name: string) => (answer: { status: number }) => {
    const key = `${name} ${answer.status}`;
    seen.set(key, (seen.get(key) ?? 0) + 1);
  };
  for (let round = 0; round < 4; round += 1)
    await Promise.all(
      Array.from({ length: 8 }, (_, i) => [
        new TestTurn(stack, someone, { message: `chat ${round} ${i}` }).send().then(note('chat')),
        door('/v1/chat/completions', { messages: [{ role: 'user', content: `door ${round} ${i}` }] }).then(note('v1')),
        door('/v1/responses', { input: `response ${round} ${i}` }).then(note('v1')),
      ]).flat(),
    );
  expect(seen.get('chat 200')).toBeGreaterThan(0);
  expect(seen.get('v1 200')).toBeGreaterThan(0);
  expect([...seen.keys()].filter((key) => !/ (200|402|409|429)$/.test(key))).toEqual([]);
  // Somebody was refused, or nothing would have been at stake.
  expect([...seen.keys()].some((key) => / (402|409|429)$/.test(key))).toBe(true);
  expect(await readOvershoot(stack.db.database)).toBe(0);
  const { body } = await someone.call('GET', '/api/ai-usage');
  expect(body.usagePercent).toBeLessThanOrEqual(105);
});

test('text of the door is in PostgreSQL alone: not in logs, traces, Temporal, metrics; in Redis for its time, then nowhere', async () => {
  const someone = await stack.person();
  const call = { id: 'call_1', name: 'look', arguments: [`{"a":"${CANARY}-arguments"}`] };
  stack.model.next({ chunks: [`${CANARY}-answer`], calls: [call] });
  stack.model.next({ status: 400, error: { code: 'broken', message: `${CANARY}-provider` } });
  const client = new OpenAI({ apiKey: someone.token, baseURL: `${stack.url}/v1`, maxRetries: 0 });
  const asked = {
    model: MODEL,
    messages: [{ role: 'user' as const, content: `${CANARY}-question` }],
    tools: [{ type: 'function' as const, function: { name: 'look', description: `${CANARY}-tool` } }],
  };
  const answer = await client.chat.completions.create(asked);
  expect(answer.choices[0]?.message.content).toBe(`${CANARY}-answer`);
  await expect(client.responses.create({ model: MODEL, input: `${CANARY}-input` })).rejects.toMatchObject({
    status: 502,
  });
  expect((await someone.call('POST', '/v1/chat/completions', { ...asked, n: 2 })).status).toBe(400);
  const { rows: turns } = await sql<{ id: string }>`select id from turns where user_id = ${someone.userId}
    order by created_at`.execute(stack.db.database.sql);
  expect(turns).toHaveLength(2);
  for (const { id } of turns) {
    const handle = stack.temporal.client.workflow.getHandle(turnWorkflowId(someone.userId, id));
    await handle.result().catch(() => {});
    const history = Buffer.from(JSON.stringify((await handle.fetchHistory()).events));
    // Payloads are bytes in base64.
    const payloads = [...history.toString().matchAll(/"data":"([A-Za-z0-9+/=]+)"/g)].map(([, data = '']) =>
      Buffer.from(data, 'base64').toString(),
    );
    expect([history.toString(), ...payloads].join('\n')).not.toContain(CANARY);
  }
  await stack.tracing.flush();
  expect(collector.bodies.join('\n')).toContain(turns[0]?.id);
  expect(collector.bodies.join('\n')).not.toContain(CANARY);
  expect(readFileSync(logFile, 'utf8')).toContain(turns[0]?.id);
  expect(readFileSync(logFile, 'utf8')).not.toContain(CANARY);
  expect(await stack.metrics.render()).not.toContain(CANARY);
  const inRedis = async () => {
    const found: { key: string; ttl: number }[] = [];
    await stack.redis.ask(async (commands) => {
      for (const key of await commands.keys('*')) {
        const type = await commands.type(key);
        const value =
          type === 'stream' ? await commands.xRange(key, '-', '+') : type === 'string' ? await commands.get(key) : '';
        if (JSON.stringify(value).includes(CANARY)) found.push({ key, ttl: await commands.ttl(key) });
      }
    });
    return found;
  };
  expect(await inRedis()).toEqual([{ key: `turn:${turns[0]?.id}`, ttl: expect.any(Number) }]);
  expect((await inRedis())[0]?.ttl).toBeGreaterThan(0);
  const inTables = async () => {
    const { rows } = await sql<{ whole: string }>`select t::text || p::text as whole from turns t
      join turn_prompts p on p.turn_id = t.id where user_id = ${someone.userId}`.execute(stack.db.database.sql);
    return rows.map(({ whole }) => whole).join('\n');
  };
  for (const part of ['question', 'tool', 'answer', 'arguments', 'input'])
    expect(await inTables()).toContain(`${CANARY}-${part}`);
  // The schedule erases what is old enough.
  await sql`with old as (
      update turns set ended_at = ended_at - interval '2 hours' where user_id = ${someone.userId} returning id
    ) update turn_prompts p set asked_at = asked_at - interval '2 hours' from old where p.turn_id = old.id`.execute(
    stack.db.database.sql,
  );
  await new TestSchedule(stack, RECONCILE_SCHEDULE_ID).handle.trigger();
  await until(async () => !(await inTables()).includes(CANARY));
  await until(async () => (await inRedis()).length === 0);
  expect(await booksOf(someone)).toEqual({ turns: 2, debits: 1, live: 0 });
  const { body: usage } = await someone.call('GET', '/api/ai-usage');
  expect(usage.usedTokens).toBe(answer.usage?.total_tokens);
}, 180_000);

test('a failed turn is run again by nobody: not by a redrive, nor by a reset, nor by reconcile', async () => {
  const [someone, admin] = [await stack.person(), await stack.person('admin')];
  stack.model.next({ status: 400, error: { code: 'broken' } });
  const refused = await someone.call('POST', '/v1/chat/completions', {
    model: MODEL,
    messages: [{ role: 'user', content: 'x' }],
  });
  expect(refused.status).toBe(502);
  const before = stack.model.requests.length;
  const { id } = await lastTurnOf(someone);
  const filter = { userId: someone.userId };
  expect(
    (await admin.call('POST', '/api/admin/turns/replay', { filter, reason: 'x', dryRun: true })).body,
  ).toMatchObject({
    count: 0,
    matched: 1,
    skipped: { api: 1 },
  });
  const { temporal } = stack;
  const handle = temporal.client.workflow.getHandle(turnWorkflowId(someone.userId, id));
  await handle.result().catch(() => {});
  const { runId } = await handle.describe();
  const points = ((await handle.fetchHistory()).events ?? []).filter(
    (event) => event.workflowTaskCompletedEventAttributes,
  );
  for (const point of [points[0], points.at(-1)]) {
    await temporal.connection.workflowService.resetWorkflowExecution({
      namespace: temporal.namespace,
      workflowExecution: { workflowId: handle.workflowId, runId },
      reason: 'test',
      requestId: crypto.randomUUID(),
      workflowTaskFinishEventId: point?.eventId ?? null,
    });
    await temporal.client.workflow
      .getHandle(handle.workflowId)
      .result()
      .catch(() => {});
    expect(await lastTurnOf(someone)).toEqual({ id, state: 'failed' });
  }
  // One that never began, as if its process had died: nobody waits for it any more.
  const lost = await sql<{
    id: string;
  }>`update turns set state = 'accepted', ended_at = null, error_code = null, run_id = null,
      admitted_at = null, ever_admitted = false, attempt = 0, touched_at = now() - interval '1 minute'
    where id = ${id} returning id`.execute(stack.db.database.sql);
  expect(lost.rows).toHaveLength(1);
  await new TestSchedule(stack, RECONCILE_SCHEDULE_ID).handle.trigger();
  await until(async () => (await lastTurnOf(someone)).state === 'failed');
  expect(stack.model.requests).toHaveLength(before);
  expect(await booksOf(someone)).toEqual({ turns: 1, debits: 0, live: 0 });
}, 180_000);

test('a turn that nobody waits for is stopped by reconcile when the process that noted it has gone', async () => {
  const someone = await stack.person();
  const gate = new Gate('request');
  stack.model.next({ gate });
  const asking = someone.raw('POST', '/v1/responses', { model: MODEL, input: 'x' });
  await gate.reached;
  const { id } = await lastTurnOf(someone);
  const left = (seconds: number) =>
    sql`update turn_prompts set left_at = now() - ${seconds} * interval '1 second' where turn_id = ${id}`.execute(
      stack.db.database.sql,
    );
  // A retry may still join it.
  await left(50);
  await new TestSchedule(stack, RECONCILE_SCHEDULE_ID).fire();
  expect(await lastTurnOf(someone)).toEqual({ id, state: 'running' });
  await left(61);
  await new TestSchedule(stack, RECONCILE_SCHEDULE_ID).fire();
  await until(async () => (await lastTurnOf(someone)).state === 'stopped');
  gate.open();
  await (await asking).text();
  expect(await booksOf(someone)).toEqual({ turns: 1, debits: 0, live: 0 });
}, 180_000);

test.each([
  ['/v1/chat/completions', { messages: [{ role: 'user', content: 'x' }] }],
  ['/v1/responses', { input: 'x' }],
] as const)('%s: every answer’s head says whose turn it is, and how the account stands', async (path, body) => {
  for (const stream of [false, true]) {
    const someone = await stack.person();
    // Less is left than is asked for, so that the limit is told.
    await someone.call('POST', '/api/ai-usage/test-usage', { userId: someone.userId, usagePercent: 104 });
    const response = await someone.raw('POST', path, { model: MODEL, stream, ...body, ...LIMIT[path] });
    const text = await response.text();
    expect([response.status, text.length > 0]).toEqual([200, true]);
    const { id } = await lastTurnOf(someone);
    const told = Object.fromEntries(response.headers);
    expect(told).toMatchObject({
      'x-request-id': expect.stringMatching(/^[0-9a-f-]{36}$/),
      'x-turnkeeper-turn-id': id,
      'x-turnkeeper-usage': expect.stringMatching(/^level=CRITICAL; remaining=\d+$/),
      'x-turnkeeper-max-output-tokens': expect.stringMatching(/^\d+$/),
      'openai-processing-ms': expect.stringMatching(/^\d+$/),
      'x-ratelimit-limit-requests': expect.stringMatching(/^\d+$/),
      'x-ratelimit-remaining-requests': expect.stringMatching(/^\d+$/),
      'x-ratelimit-reset-requests': expect.stringMatching(/^\d+ms$/),
      'x-ratelimit-limit-tokens': expect.stringMatching(/^\d+$/),
      'x-ratelimit-remaining-tokens': expect.stringMatching(/^\d+$/),
    });
  }
});
const LIMIT = {
  '/v1/chat/completions': { max_completion_tokens: 4_000 },
  '/v1/responses': { max_output_tokens: 4_000 },
};

describe('what nobody should send', () => {
  const messages = [{ role: 'user', content: 'x' }];
  const post = (someone: Person, body: string | Uint8Array<ArrayBuffer>, headers: Record<string, string> = {}) =>
    fetch(`${stack.url}/v1/chat/completions`, {
      method: 'POST',
      headers: { authorization: `Bearer ${someone.token}`, 'content-type': 'application/json', ...headers },
      body,
    });

  test.each<[string, string, number, string]>([
    ['no JSON', 'hello', 400, 'invalid_json'],
    ['NaN', `{"model":"${MODEL}","messages":[{"role":"user","content":"x"}],"temperature":NaN}`, 400, 'invalid_json'],
    [
      '2,049 messages',
      JSON.stringify({ model: MODEL, messages: Array(2_049).fill(messages[0]) }),
      400,
      'invalid_request',
    ],
    [
      'a schema of 5 MB',
      JSON.stringify({
        ...{ model: MODEL, messages },
        response_format: { type: 'json_schema', json_schema: { name: 'a', schema: { title: 'x'.repeat(5_000_000) } } },
      }),
      413,
      'payload_too_large',
    ],
    [
      'a schema of 200 levels',
      `{"model":"${MODEL}","messages":[{"role":"user","content":"x"}],"tools":[{"type":"function","function":{"name":"a","parameters":${'{"not":'.repeat(200)}{}${'}'.repeat(200)}}}]}`,
      400,
      'invalid_json',
    ],
  ])('%s', async (_name, body, status, code) => {
    const answer = await post(await stack.person(), body);
    expect([answer.status, await answer.json()]).toMatchObject([
      status,
      { error: { code, message: expect.any(String) } },
    ]);
    for (const name of ['x-request-id', 'content-language']) expect(answer.headers.get(name)).toBeTruthy();
  });

  test('a body of 100 MB is refused; a packed one is unpacked, a broken one refused', async () => {
    const someone = await stack.person();
    const large = await post(someone, new Uint8Array(104_857_600).fill(0x20));
    expect([large.status, await large.json()]).toMatchObject([413, { error: { code: 'payload_too_large' } }]);
    const packed = new Uint8Array(gzipSync(JSON.stringify({ model: MODEL, messages })));
    expect((await post(someone, packed, { 'content-encoding': 'gzip' })).status).toBe(200);
    expect((await post(someone, packed.slice(0, 20), { 'content-encoding': 'gzip' })).status).toBe(400);
  });

  test('retries that are none, and forty at once: what is answered is paid as often as the model was asked', async () => {
    const someone = await stack.person();
    const before = stack.model.requests.length;
    const body = JSON.stringify({ model: MODEL, max_tokens: 20, messages });
    for (const count of ['-1', 'abc', '1e3', '0x1', ''])
      expect((await post(someone, body, { 'x-stainless-retry-count': count })).status).toBe(200);
    const all = Array.from({ length: 40 }, () => post(someone, body, { 'x-stainless-retry-count': '1' }));
    const statuses = (await Promise.all(all)).map(({ status }) => status);
    // A machine that is busy says so, and then nothing is written.
    expect(statuses.filter((status) => status !== 200 && status !== 503)).toEqual([]);
    expect(statuses).toContain(200);
    const { turns, debits, live } = await booksOf(someone);
    expect([debits, live, stack.model.requests.length - before]).toEqual([turns, 0, turns]);
  });
});
