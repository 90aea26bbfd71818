import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { sql } from 'kysely';
import OpenAI from 'openai';
import { Client } from 'pg';
import { Gate, type Point } from '../fake-model/scenario.ts';
import type { Person } from '../support/stack.ts';
import { until } from '../support/until.ts';
import { openCrashStage, type CrashStage } from './stage.ts';

/** What a death may do to answers of the OpenAI door: of a worker by SIGKILL, or of what a head's figures need. */
let stage: CrashStage;
let url: string;

beforeAll(async () => {
  stage = await openCrashStage();
  url = (await stage.start('api')).url;
});
afterAll(() => stage.close());

async function booksOf({ userId }: Person) {
  const { rows } = await sql<{ state: string; debits: number; liveHolds: number; attempts: number }>`select state,
      (select count(*)::int from ledger_entries where turn_id = t.id and kind = 'debit') as debits,
      (select count(*)::int from holds where turn_id = t.id and state = 'pending') as "liveHolds", attempt as attempts
    from turns t where user_id = ${userId}`.execute(stage.db.database.sql);
  return rows;
}

/** Reads a stream to its end, as the bytes come. */
async function readRaw(someone: Person): Promise<string> {
  const response = await fetch(`${url}/v1/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${someone.token}`, 'content-type': 'application/json' },
    body: JSON.stringify({ ...ASKED, stream: true }),
  });
  return response.text();
}

const ASKED = { model: 'gpt-4.1-mini', messages: [{ role: 'user' as const, content: 'x' }] };

test('before the first text of a stream: the answer comes, of a second call, and is paid once', async () => {
  const someone = await stage.person();
  const worker = await stage.start('worker');
  const before = stage.model.requests.length;
  const gate = new Gate('first-delta');
  stage.model.next({ chunks: ['never'], gate });
  stage.model.next({ chunks: ['whole ', 'answer'] });
  const client = new OpenAI({ apiKey: someone.token, baseURL: `${url}/v1`, maxRetries: 0 });
  const answer = client.chat.completions.stream(ASKED).finalContent();
  await gate.reached;
  await worker.kill();
  gate.open();
  const next = await stage.start('worker');
  expect(await answer).toBe('whole answer');
  await until(async () => (await booksOf(someone))[0]?.state === 'completed');
  expect(await booksOf(someone)).toEqual([{ state: 'completed', debits: 1, liveHolds: 0, attempts: 2 }]);
  expect(stage.model.requests.length - before).toBe(2);
  await next.kill();
});

test('after it: the stream ends with an error and without [DONE], and costs nothing', async () => {
  const someone = await stage.person();
  const worker = await stage.start('worker');
  const before = stage.model.requests.length;
  const gate = new Gate(2);
  stage.model.next({ chunks: ['half ', 'of it'], gate });
  const reading = readRaw(someone);
  await gate.reached;
  await until(async () => (await hasLeft(someone)) === true);
  await worker.kill();
  gate.open();
  await stage.start('worker');
  const events = (await reading)
    .split('\n\n')
    .filter((event) => event.startsWith('data: '))
    .map((event) => event.slice(6));
  expect(events.join('\n')).toContain('half ');
  expect(events).not.toContain('[DONE]');
  expect(JSON.parse(events.at(-1) ?? '')).toMatchObject({
    error: { code: 'interrupted', message: expect.any(String) },
  });
  expect(await booksOf(someone)).toEqual([{ state: 'failed', debits: 0, liveHolds: 0, attempts: 1 }]);
  expect(stage.model.requests.length - before).toBe(1);
});

test('figures of its head that cannot be read cost an answer nothing, and the API goes on', async () => {
  const someone = await stage.person();
  const worker = await stage.start('worker');
  const gate = new Gate('request');
  stage.model.next({ chunks: ['whole answer'], gate });
  const locker = new Client({ connectionString: stage.db.url });
  await locker.connect();
  await locker.query('begin; lock table usage_rollups in access exclusive mode');
  const asking = someone.raw('POST', '/v1/chat/completions', ASKED);
  await gate.reached;
  // The figures are all that waits for that table while the model is asked.
  const cancel =
    'select pg_cancel_backend(pid) from pg_locks where not granted and pg_backend_pid() = any(pg_blocking_pids(pid))';
  await until(async () => ((await locker.query(cancel)).rowCount ?? 0) > 0);
  await locker.end();
  gate.open();
  const { status, headers } = await asking;
  expect([status, headers.get('x-turnkeeper-usage'), headers.has('x-turnkeeper-turn-id')]).toEqual([200, null, true]);
  expect(await booksOf(someone)).toEqual([{ state: 'completed', debits: 1, liveHolds: 0, attempts: 1 }]);
  const next = await someone.raw('POST', '/v1/chat/completions', ASKED);
  expect([next.status, next.headers.has('x-turnkeeper-usage')]).toEqual([200, true]);
  await worker.kill();
});

test('the API is killed: its client’s own retry, or the same key, gets the answer elsewhere, and it is paid once', async () => {
  const [worker, doomed] = [await stage.start('worker'), await stage.start('api')] as const;
  let isKilled = false;
  /** As a balancer does: what is asked after the kill goes elsewhere. */
  const balanced = (input: string | URL | Request, init?: RequestInit) => {
    const asked = input instanceof Request ? input.url : input.toString();
    return fetch(isKilled ? asked.replace(doomed.url, url) : asked, init);
  };
  const waits = async (ask: (someone: Person) => Promise<string | null | undefined>) => {
    const [someone, gate] = [await stage.person(), new Gate('request')];
    stage.model.next({ chunks: ['whole ', 'answer'], gate });
    const answer = ask(someone);
    answer.catch(() => {});
    await gate.reached;
    return { someone, gate, answer };
  };
  const clientOf = ({ token }: Person) =>
    new OpenAI({ apiKey: token, baseURL: `${doomed.url}/v1`, maxRetries: 3, fetch: balanced });
  const byKey = async ({ token }: Person) => {
    const init = {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json', 'idempotency-key': 'one' },
      body: JSON.stringify(ASKED),
    };
    const asked = `${doomed.url}/v1/chat/completions`;
    const response = await balanced(asked, init).catch(() => balanced(asked, init));
    return ((await response.json()) as OpenAI.ChatCompletion).choices[0]?.message.content;
  };
  const whole = await waits(
    async (someone) => (await clientOf(someone).chat.completions.create(ASKED)).choices[0]?.message.content,
  );
  const streamed = await waits((someone) => clientOf(someone).chat.completions.stream(ASKED).finalContent());
  const keyed = await waits(byKey);
  // A retry never takes a turn from a process that lives.
  const living = await waits(async ({ token }) => {
    const client = new OpenAI({ apiKey: token, baseURL: `${url}/v1`, maxRetries: 0 });
    return (await client.chat.completions.create(ASKED)).choices[0]?.message.content;
  });
  isKilled = true;
  await doomed.kill();
  stage.model.next({ chunks: ['another answer'] });
  const second = await new OpenAI({
    apiKey: living.someone.token,
    baseURL: `${url}/v1`,
    defaultHeaders: { 'x-stainless-retry-count': '1' },
  }).chat.completions.create(ASKED);
  expect(second.choices[0]?.message.content).toBe('another answer');
  for (const { gate } of [whole, streamed, keyed, living]) gate.open();
  for (const { answer, someone } of [whole, streamed, keyed]) {
    expect(await answer).toBe('whole answer');
    await until(async () => (await booksOf(someone))[0]?.state === 'completed');
    expect(await booksOf(someone)).toEqual([{ state: 'completed', debits: 1, liveHolds: 0, attempts: 1 }]);
  }
  expect(await living.answer).toBe('whole answer');
  expect(await booksOf(living.someone)).toHaveLength(2);
  await worker.kill();
}, 120_000);

test('the API is told to stop: what comes whole within the grace time does; the rest is stopped, or joined elsewhere', async () => {
  const [worker, leaving] = [
    await stage.start('worker'),
    await stage.start('api', { SHUTDOWN_GRACE_SECONDS: '6' }),
  ] as const;
  /** Somebody asks, and the model holds its answer at a point. */
  const ask = async (point: Point, stream: boolean) => {
    const [someone, gate] = [await stage.person(), new Gate(point)];
    stage.model.next({ chunks: ['half ', 'of it', '.'], gate });
    const asking = someone.raw('POST', '/v1/chat/completions', { ...ASKED, stream });
    await gate.reached;
    if (stream) await until(async () => (await hasLeft(someone)) === true);
    return { someone, gate, asking };
  };
  const [whole, streamed] = [await ask('request', false), await ask(2, true)];
  const [cut, joined] = [await ask(2, true), await ask('request', false)];
  const before = stage.model.requests.length;
  leaving.signal('SIGTERM');
  await until(() => leaving.output().includes('"stopping"'));
  for (const { gate } of [whole, streamed]) gate.open();
  expect(await (await whole.asking).json()).toMatchObject({ choices: [{ message: { content: 'half of it.' } }] });
  expect(await (await streamed.asking).text()).toMatch(/data: \[DONE\]\s*$/);
  for (const { someone } of [whole, streamed])
    expect(await booksOf(someone)).toEqual([{ state: 'completed', debits: 1, liveHolds: 0, attempts: 1 }]);

  const text = await (await cut.asking).text();
  expect(text).toContain('half ');
  expect(text).not.toContain('[DONE]');
  expect(JSON.parse(text.trim().split('data: ').at(-1) ?? '')).toMatchObject({ error: { code: 'interrupted' } });
  await until(async () => (await booksOf(cut.someone))[0]?.state !== 'running');
  cut.gate.open();
  expect(await booksOf(cut.someone)).toEqual([{ state: 'stopped', debits: 1, liveHolds: 0, attempts: 1 }]);

  const told = await joined.asking;
  expect([told.status, await told.json()]).toMatchObject([503, { error: { code: 'unavailable' } }]);
  const again = fetch(`${url}/v1/chat/completions`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${joined.someone.token}`,
      'content-type': 'application/json',
      'x-stainless-retry-count': '1',
    },
    body: JSON.stringify({ ...ASKED, stream: false }),
  });
  joined.gate.open();
  expect(await (await again).json()).toMatchObject({ choices: [{ message: { content: 'half of it.' } }] });
  expect(await booksOf(joined.someone)).toEqual([{ state: 'completed', debits: 1, liveHolds: 0, attempts: 1 }]);
  expect(stage.model.requests).toHaveLength(before);
  expect(await leaving.exited).toEqual({ code: 0, signal: null });
  await worker.kill();
});

/** Whether PostgreSQL knows that text has left. */
async function hasLeft({ userId }: Person): Promise<boolean | undefined> {
  const { rows } = await sql<{ left: boolean }>`select first_delta_at is not null as left from turn_prompts p
    join turns t on t.id = p.turn_id where t.user_id = ${userId}`.execute(stage.db.database.sql);
  return rows[0]?.left;
}
