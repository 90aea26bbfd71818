import { randomUUID } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createUser } from '../../db/people/users.ts';
import { SetupError } from '../../domain/setup-error.ts';
import { readConfig } from '../../platform/config/config.ts';
import { createLog, type Logger } from '../../platform/telemetry/log.ts';
import { turnWorkflowId } from '../../workflows/contract/ids.ts';
import { readEvents } from '../support/events.ts';
import { personAtUrl, startTestStack, type Person, type TestStack } from '../support/stack.ts';
import { until } from '../support/until.ts';
import { startCollector, type Collector, type SeenSpan } from './otlp-collector.ts';

const QUESTION = '내 비밀번호는 무화과나무-7741 입니다';
const ANSWER = ['당신의 비밀은 ', '자작나무-9052', ' 로 바뀌었습니다'];
const EMAIL = 'leak.check@example.com';
const STREAM = { accept: 'text/event-stream' };

const folder = mkdtempSync(join(tmpdir(), 'turnkeeper-trace-'));
const logFile = join(folder, 'application.log');
let log: Logger;
let collector: Collector;
let stack: TestStack;
let person: Person;

beforeAll(async () => {
  log = createLog({ name: 'turnkeeper-test', level: 'trace', file: logFile });
  collector = await startCollector();
  stack = await startTestStack(
    { OTEL_EXPORTER_OTLP_ENDPOINT: `${collector.url}/`, OTEL_SERVICE_NAME: 'turnkeeper-under-test' },
    { log },
  );
  const { userId, token } = await createUser(stack.db.database, { email: EMAIL, role: 'user' });
  person = personAtUrl(stack.url, userId, token);
});
afterAll(async () => {
  await stack.close();
  await collector.close();
  rmSync(folder, { recursive: true });
});

/** The spans of one request, once its workflow's end was traced. */
async function traceOf(requestId: string | null): Promise<SeenSpan[]> {
  let trace: SeenSpan[] = [];
  await until(async () => {
    await stack.tracing.flush();
    const root = collector.spans.find(({ attributes }) => attributes['turnkeeper.request_id'] === requestId);
    trace = collector.spans.filter(({ traceId }) => traceId === root?.traceId);
    return trace.some(({ name }) => name === 'workflow chatTurn');
  });
  return trace;
}

async function send(body: object, headers: Record<string, string> = {}) {
  const response = await person.raw('POST', '/api/chat/send', body, headers);
  const text = await response.text();
  return { status: response.status, text, requestId: response.headers.get('x-request-id') };
}

const parentOf = (trace: readonly SeenSpan[], { parentSpanId }: SeenSpan) =>
  trace.find(({ spanId }) => spanId === parentSpanId)?.name ?? null;

/** The log file, once it has everything logged before the call: the program writes it without waiting. */
async function writtenLog(): Promise<string> {
  const mark = randomUUID();
  log.info({ mark }, 'all before this is written');
  let text = '';
  await until(() => (text = readFileSync(logFile, 'utf8')).includes(mark));
  return text;
}

describe('one turn is one trace', () => {
  let trace: SeenSpan[];
  let turnId: string;
  let requestId: string | null;
  beforeAll(async () => {
    stack.model.next({ chunks: ANSWER, usage: { prompt_tokens: 21, completion_tokens: 9 } });
    const response = await person.raw('POST', '/api/chat/send', { message: QUESTION }, STREAM);
    requestId = response.headers.get('x-request-id');
    turnId = (await readEvents(response)).at(-1)?.data.turn.turnId;
    trace = await traceOf(requestId);
  });

  test('from the request to the workflow, its activities, and what they ask', () => {
    // A month's first turn arms a schedule as well.
    const parents = new Map(trace.map((span) => [span.name, parentOf(trace, span)]));
    expect(
      Object.fromEntries([...parents].filter(([name]) => !/^(postgresql|redis|activity armSchedules$)/.test(name))),
    ).toEqual({
      'POST /api/chat/send': null,
      'temporal start chatTurn': 'POST /api/chat/send',
      'workflow chatTurn': 'temporal start chatTurn',
      'activity reserveTurn': 'workflow chatTurn',
      'activity generate': 'workflow chatTurn',
      'chat gpt-4.1-mini': 'activity generate',
      'activity settleTurn': 'workflow chatTurn',
    });
    const askers = (what: RegExp) =>
      new Set(trace.filter(({ name }) => what.test(name)).map((span) => parentOf(trace, span)));
    for (const asker of ['POST /api/chat/send', 'activity reserveTurn', 'activity generate', 'activity settleTurn'])
      expect(askers(/^postgresql [A-Z]+$/)).toContain(asker);
    for (const asker of ['activity reserveTurn', 'activity settleTurn'])
      expect(askers(/^redis PUBLISH$/)).toContain(asker);
    expect(askers(/^redis EVALSHA$/)).toEqual(new Set(['activity generate']));
  });

  test('each span lies within its parent, whatever process or timer it comes from', () => {
    for (const span of trace) {
      const parent = trace.find(({ spanId }) => spanId === span.parentSpanId);
      if (parent === undefined) continue;
      // A workflow's clock is the server's, in whole milliseconds. It moves on when the call that started it has its
      // answer.
      if (!parent.name.startsWith('temporal start'))
        expect(span.startedAt).toBeGreaterThanOrEqual(parent.startedAt - 2);
      if (parent.name.startsWith('activity') && !span.name.startsWith('redis'))
        expect(span.endedAt).toBeLessThanOrEqual(parent.endedAt + 2);
    }
  });

  test('with ids and figures as attributes', () => {
    const spanOf = (name: string) => trace.find((span) => span.name === name);
    expect(spanOf('POST /api/chat/send')).toMatchObject({
      kind: 2,
      failed: false,
      resource: { 'service.name': 'turnkeeper-under-test' },
      attributes: {
        'http.route': '/api/chat/send',
        'http.response.status_code': 200,
        'turnkeeper.request_id': requestId,
        'turnkeeper.turn_id': turnId,
      },
    });
    expect(spanOf('workflow chatTurn')?.attributes).toMatchObject({
      'temporal.workflow_id': turnWorkflowId(person.userId, turnId),
    });
    expect(spanOf('chat gpt-4.1-mini')).toMatchObject({
      kind: 3,
      attributes: {
        'gen_ai.usage.input_tokens': 21,
        'gen_ai.usage.output_tokens': 9,
        'gen_ai.response.finish_reasons': 'stop',
      },
    });
  });

  test('log lines carry the request, the turn and the trace', async () => {
    const lines = (await writtenLog())
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    const ended = lines.find(({ msg, turnId: of }) => msg === 'turn ended' && of === turnId);
    expect(ended).toMatchObject({
      outcome: 'completed',
      model: 'gpt-4.1-mini',
      debitedTokens: 30,
      traceId: trace[0]?.traceId,
    });
    expect(lines.find(({ msg, requestId: of }) => msg === 'request ended' && of === requestId)).toMatchObject({
      turnId,
      traceId: trace[0]?.traceId,
      route: '/api/chat/send',
      status: 200,
    });
  });
});

test('a trace that began before us goes on', async () => {
  const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
  const { requestId } = await send({ message: '안녕' }, { traceparent });
  const trace = await traceOf(requestId);
  expect(trace[0]?.traceId).toBe('0af7651916cd43dd8448eb211c80319c');
  expect(trace.find(({ name }) => name === 'POST /api/chat/send')?.parentSpanId).toBe('b7ad6b7169203331');
});

test('one that is not to be kept is not sent, and a malformed one begins anew', async () => {
  const before = collector.spans.length;
  const unwanted = '0af7651916cd43dd8448eb211c80319d';
  await send({ message: '안녕' }, { traceparent: `00-${unwanted}-b7ad6b7169203331-00` });
  const { requestId } = await send({ message: '안녕' }, { traceparent: '00-zz-b7ad6b7169203331-01' });
  expect((await traceOf(requestId)).find(({ kind }) => kind === 2)?.parentSpanId).toBeNull();
  expect(collector.spans.slice(before).filter(({ traceId }) => traceId === unwanted)).toEqual([]);
});

test('a failed turn: its workflow and its calls fail by their type, the request by its status', async () => {
  stack.model.next({ status: 401, error: { message: `no access: ${QUESTION}` } });
  const { status, requestId } = await send({ message: QUESTION });
  expect(status).toBe(502);
  const trace = await traceOf(requestId);
  const failures = Object.fromEntries(
    trace.filter(({ failed }) => failed).map(({ name, attributes }) => [name, attributes['error.type']]),
  );
  expect(failures).toEqual({
    'POST /api/chat/send': '502',
    'chat gpt-4.1-mini': 'model_rejected',
    'activity generate': 'LlmRejected',
    'workflow chatTurn': 'LlmRejected',
  });
});

test('health and metrics, asked every few seconds, are not traced', async () => {
  await fetch(`${stack.url}/health/ready`);
  const { requestId } = await send({ message: '안녕' });
  await traceOf(requestId);
  expect(collector.spans.filter(({ name }) => /health|metrics/.test(name))).toEqual([]);
});

describe('nothing that a person wrote, was told or must keep secret leaves', () => {
  /** The secret as it would be in JSON, in a URL and in base64 at any offset. */
  function formsOf(secret: string): string[] {
    const base64 = [0, 1, 2].map((offset) =>
      Buffer.from(`${' '.repeat(offset)}${secret}`)
        .toString('base64')
        .slice(offset === 0 ? 0 : 4, -4),
    );
    const escaped = [...secret]
      .map((unit) => (unit.charCodeAt(0) < 128 ? unit : `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`))
      .join('');
    return [secret, encodeURIComponent(secret), escaped, ...base64];
  }
  const leaksIn = (text: string, secrets: readonly string[]) =>
    secrets.filter((secret) => formsOf(secret).some((form) => text.includes(form)));
  const secrets = () => [
    '무화과나무-7741',
    '자작나무-9052',
    EMAIL,
    person.token,
    'sk-secret-of-the-test',
    'quotes the prompt',
  ];

  test('in spans, logs or metrics, of turns that went well, failed, were refused and of a broken request', async () => {
    stack.model.next({ chunks: ANSWER });
    await send({ message: QUESTION });
    stack.model.next({ status: 500, error: { message: QUESTION }, headers: { 'retry-after-ms': '1' } });
    await send({ message: QUESTION });
    await person.call('POST', '/api/ai-usage/test-usage', { userId: person.userId, usagePercent: 105 });
    await send({ message: QUESTION });
    await send({ message: QUESTION, conversationId: QUESTION });
    await fetch(`${stack.url}/api/chat/send`, {
      method: 'POST',
      headers: { authorization: `Bearer ${person.token}x` },
      body: QUESTION,
    });
    await person.call('GET', `/api/conversations?search=${encodeURIComponent(QUESTION)}`);
    await stack.tracing.flush();
    const told = {
      spans: collector.bodies.join('\n'),
      logs: await writtenLog(),
      metrics: await stack.metrics.render(),
    };
    for (const [where, text] of Object.entries(told))
      expect([where, text.length > 5_000, leaksIn(text, secrets())]).toEqual([where, true, []]);
  });

  test('where PostgreSQL refuses what was written, which its message quotes', async () => {
    await stack.db.database
      .em()
      .getConnection()
      .execute('alter table conversations add constraint planted check (title !~ $$무화과나무-7741$$) not valid');
    const { body: conversation } = await person.call('POST', '/api/conversations', { title: '이름을 바꿀 대화' });
    const path = `/api/conversations/${conversation.conversationId}`;
    const renamed = await person.call('PATCH', path, { title: QUESTION });
    expect(renamed).toMatchObject({ status: 500, body: { code: 'internal' } });
    const log = await writtenLog();
    expect(log).toMatch(/"a request failed"/);
    expect(log).toMatch(/"constraint":"planted"/);
    expect(leaksIn(log, secrets())).toEqual([]);
  });

  test('a leak would be found in each of its forms', async () => {
    for (const secret of secrets()) {
      const json = JSON.stringify({ statement: secret });
      for (const text of [
        json,
        Buffer.from(json).toString('base64'),
        encodeURIComponent(json),
        `x${Buffer.from(`1${json}`).toString('base64')}`,
      ])
        expect(leaksIn(text, secrets())).toContain(secret);
    }
    stack.tracing.start('planted').end();
    log.error({ planted: EMAIL }, 'planted');
    expect(leaksIn(await writtenLog(), secrets())).toEqual([EMAIL]);
  });
});

test('an endpoint that is none, or a share that is none, is refused by name', () => {
  expect(() => readConfig({ OTEL_EXPORTER_OTLP_ENDPOINT: 'collector' })).toThrow(SetupError);
  expect(() => readConfig({ OTEL_TRACES_SAMPLER_ARG: '2' })).toThrow(/OTEL_TRACES_SAMPLER_ARG/);
});
