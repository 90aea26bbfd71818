import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { startTestStack, type Person, type TestStack } from '../support/stack.ts';

const SECRET = '비밀 질문';
let stack: TestStack;
let admin: Person;
let person: Person;
/** One turn of each ending, of the same person. */
let completed: { turnId: string; conversationId: string };
let failed: string;
let refused: string;

beforeAll(async () => {
  stack = await startTestStack({ TEMPORAL_UI_URL: 'http://ui.example:8233/' });
  admin = await stack.person('admin');
  person = await stack.person();
  stack.model.next({ chunks: ['비밀', ' 대답'], usage: { prompt_tokens: 21, completion_tokens: 9 } });
  completed = (await person.call('POST', '/api/chat/send', { message: SECRET })).body;
  stack.model.next({
    status: 429,
    error: { code: 'rate_limit_exceeded' },
    headers: { 'retry-after-ms': '1', 'x-request-id': 'req_429' },
  });
  stack.model.next({
    status: 401,
    error: { code: 'invalid_api_key', message: `You asked: ${SECRET}` },
    headers: { 'x-request-id': 'req_401' },
  });
  failed = (await person.call('POST', '/api/chat/send', { message: SECRET })).body.turnId;
  refused = randomUUID();
  await person.call('POST', '/api/ai-usage/test-usage', { userId: person.userId, usagePercent: 105 });
  await person.call('POST', '/api/chat/send', { message: SECRET, turnId: refused });
});
afterAll(() => stack.close());

describe('the list', () => {
  test('shows everybody’s turns without what was said, newest first, with the failures counted', async () => {
    const { status, body } = await admin.call('GET', `/api/admin/turns?userId=${person.userId}`, undefined, {
      'accept-language': 'en',
    });
    expect(status).toBe(200);
    expect(body.items.map(({ turnId, state }: { turnId: string; state: string }) => [turnId, state])).toEqual([
      [refused, 'refused'],
      [failed, 'failed'],
      [completed.turnId, 'completed'],
    ]);
    expect(body.items[2]).toEqual({
      turnId: completed.turnId,
      conversationId: completed.conversationId,
      userId: person.userId,
      person: { userId: person.userId, email: null, name: null, emailLookAlikes: [] },
      sequence: 1,
      state: 'completed',
      model: 'gpt-4.1-mini',
      attempt: 1,
      usage: { promptTokens: 21, completionTokens: 9, totalTokens: 30, debitedTokens: 30, estimated: false },
      finishReason: 'stop',
      maxOutputTokens: 2_048,
      createdAt: expect.any(String),
      endedAt: expect.any(String),
      durationMs: expect.any(Number),
    });
    expect(body.items[1].error).toEqual({
      code: 'model_rejected',
      message: 'The model rejected the request.',
      retryable: false,
    });
    expect(body.counts).toEqual([{ code: 'model_rejected', count: 1, more: false }]);
    expect(JSON.stringify(body)).not.toContain('비밀');
  });

  test.each<[string, () => string, () => string[]]>([
    ['state', () => 'state=failed', () => [failed]],
    ['code', () => 'code=TOKEN_EXHAUSTED', () => [refused]],
    ['conversation', () => `conversationId=${completed.conversationId}`, () => [completed.turnId]],
    ['model', () => 'model=gpt-5-mini', () => []],
    ['time', () => 'to=2026-01-01T00:00:00Z', () => []],
    ['replayed', () => 'replayed=true', () => []],
    ['not replayed', () => 'replayed=false&state=completed', () => [completed.turnId]],
    ['an unknown user', () => 'userId=999999', () => []],
  ])('filters by %s', async (_, query, ids) => {
    const { body } = await admin.call('GET', `/api/admin/turns?${query()}`);
    expect(body.items.map(({ turnId }: { turnId: string }) => turnId)).toEqual(ids());
  });

  test('counts failures over time, by hour or day on the wall clock asked for', async () => {
    const { status, body } = await admin.call('GET', `/api/admin/turns/failures?userId=${person.userId}`);
    expect([status, body.bucket]).toEqual([200, 'hour']);
    expect([24, 25]).toContain(body.items.length);
    expect(body.items.flatMap(({ counts }: { counts: object[] }) => counts)).toEqual([
      { code: 'model_rejected', count: 1, more: false },
    ]);
    const { body: days } = await admin.call(
      'GET',
      '/api/admin/turns/failures?bucket=day&timeZone=America/New_York&from=2026-01-05T05:00:00Z&to=2026-01-07T05:00:00Z',
    );
    expect(days).toEqual({
      bucket: 'day',
      items: [
        { from: '2026-01-05T05:00:00.000Z', to: '2026-01-06T05:00:00.000Z', counts: [] },
        { from: '2026-01-06T05:00:00.000Z', to: '2026-01-07T05:00:00.000Z', counts: [] },
      ],
    });
  });

  test.each<[string, string]>([
    ['to', 'from=2026-01-01T00:00:00Z'],
    ['to', 'bucket=day&from=2026-01-01T00:00:00Z&to=2026-07-01T00:00:00Z'],
    ['to', 'from=2026-01-02T00:00:00Z&to=2026-01-01T00:00:00Z'],
    ['timeZone', 'timeZone=Mars/Base'],
    ['timeZone', 'timeZone=%2B09:00'],
    ['bucket', 'bucket=minute'],
    ['state', 'state=failed'],
    ['code', 'code=none'],
    ['to', 'to=today'],
    ['to', 'bucket=day&to=9999-12-31T00:00:00Z'],
    ['from', 'bucket=day&from=0001-01-01T00:00:00Z&to=0001-02-01T00:00:00Z'],
  ])('of failures over time refuses a bad %s: %s', async (field, query) => {
    const { status, body } = await admin.call('GET', `/api/admin/turns/failures?${query}`);
    expect([status, body.code, body.field]).toEqual([400, 'invalid_request', field]);
    expect((await person.call('GET', '/api/admin/turns/failures')).body.code).toBe('forbidden');
  });

  test('goes on by its cursor, counting once', async () => {
    const { body } = await admin.call('GET', '/api/admin/turns?limit=2');
    expect(body.items).toHaveLength(2);
    const rest = await admin.call('GET', `/api/admin/turns?limit=2&cursor=${body.nextCursor}`);
    expect(rest.body).toMatchObject({ items: [{ turnId: completed.turnId }], nextCursor: null, counts: null });
  });

  test.each([
    ['state=broken', 'state'],
    ['code=none', 'code'],
    ['userId=0', 'userId'],
    ['userId=x', 'userId'],
    ['conversationId=1', 'conversationId'],
    ['model=', 'model'],
    ['from=yesterday', 'from'],
    ['to=2026-01-01', 'to'],
    ['from=1969-12-31T23:59:59Z', 'from'],
    ['to=3000-01-01T00:00:00Z', 'to'],
    ['replayed=maybe', 'replayed'],
    ['limit=0', 'limit'],
    ['cursor=x', 'cursor'],
    ['user=1', 'user'],
    ['state=failed&state=refused', 'state'],
  ])('?%s is refused by its name', async (query, field) => {
    const { status, body } = await admin.call('GET', `/api/admin/turns?${query}`);
    expect([status, body.code, body.field]).toEqual([400, 'invalid_request', field]);
  });

  test('takes the first and the last instant that it names', async () => {
    expect((await admin.call('GET', '/api/admin/turns?from=1970-01-01T00:00:00Z&to=2999-12-31T23:59:59Z')).status).toBe(
      200,
    );
  });
});

describe('one turn', () => {
  test('completed: its steps in order, hold, attempt, debit and run', async () => {
    const { status, body } = await admin.call('GET', `/api/admin/turns/${completed.turnId}`);
    expect(status).toBe(200);
    expect(body.timeline.map(({ step }: { step: string }) => step)).toEqual([
      'accepted',
      'held',
      'attempt_started',
      'attempt_ended',
      'settled',
      'ended',
    ]);
    expect(body.timeline.map(({ sinceAcceptedMs }: { sinceAcceptedMs: number }) => sinceAcceptedMs)).toEqual(
      [...body.timeline.map(({ sinceAcceptedMs }: { sinceAcceptedMs: number }) => sinceAcceptedMs)].sort(
        (a, b) => a - b,
      ),
    );
    expect(body.holds).toMatchObject([{ state: 'settled', outputLimit: 2_048, expiresAt: null }]);
    expect(body.attempts).toMatchObject([
      {
        number: 1,
        state: 'answered',
        error: null,
        finishReason: 'stop',
        usage: { promptTokens: 21, cachedTokens: 0, completionTokens: 9, reasoningTokens: 0, estimated: false },
        durationMs: expect.any(Number),
      },
    ]);
    expect(body.ledgerEntries).toMatchObject([
      { kind: 'debit', tokens: 30, purchasedTokens: 0, allowanceTokens: 30, overageTokens: 0, estimated: false },
    ]);
    const workflowId = `turn/${person.userId}/${completed.turnId}`;
    const [{ runId }] = body.holds;
    expect(body.workflow).toEqual({
      workflowId,
      status: expect.stringMatching(/^(RUNNING|COMPLETED)$/),
      url: `http://ui.example:8233/namespaces/default/workflows?query=${encodeURIComponent(`WorkflowId="${workflowId}"`)}`,
      runs: [
        {
          runId,
          url: `http://ui.example:8233/namespaces/default/workflows/${encodeURIComponent(workflowId)}/${runId}/history`,
        },
      ],
    });
    expect(JSON.stringify(body)).not.toContain('비밀');
  });

  test('failed: each attempt with its error and what the provider said, nothing charged', async () => {
    const { body } = await admin.call('GET', `/api/admin/turns/${failed}`);
    expect(body).toMatchObject({
      state: 'failed',
      error: { code: 'model_rejected', retryable: false },
      workflow: { status: 'FAILED' },
      ledgerEntries: [],
    });
    expect(body.attempts).toMatchObject([
      {
        number: 1,
        state: 'failed',
        error: 'model_rate_limited',
        provider: { status: 429, code: 'rate_limit_exceeded', requestId: 'req_429' },
        usage: null,
      },
      {
        number: 2,
        state: 'failed',
        error: 'model_rejected',
        provider: { status: 401, code: 'invalid_api_key', requestId: 'req_401' },
        usage: null,
      },
    ]);
    expect(body.timeline.map(({ step }: { step: string }) => step)).toEqual([
      'accepted',
      'held',
      'attempt_started',
      'attempt_ended',
      'attempt_started',
      'attempt_ended',
      'released',
      'ended',
    ]);
    expect(JSON.stringify(body)).not.toContain('비밀');
  });

  test('refused: no hold, and the run that refused it', async () => {
    const { body } = await admin.call('GET', `/api/admin/turns/${refused}`);
    expect(body).toMatchObject({
      state: 'refused',
      holds: [],
      attempts: [],
      ledgerEntries: [],
      workflow: { runs: [{ runId: expect.any(String) }] },
    });
  });

  test('its text only when asked for, and then the audit log says who read it', async () => {
    const target = `turn:${completed.turnId}`;
    const reads = async () => (await admin.call('GET', `/api/admin/audit?target=${target}`)).body.items;
    await admin.call('GET', `/api/admin/turns/${completed.turnId}`);
    expect(await reads()).toEqual([]);
    const { body, headers } = await admin.call('GET', `/api/admin/turns/${completed.turnId}?include=content`);
    expect(body).toMatchObject({ question: SECRET, answer: '비밀 대답' });
    expect(await reads()).toMatchObject([
      {
        adminId: admin.userId,
        action: 'turn.read_content',
        target,
        reason: null,
        requestId: headers.get('x-request-id'),
      },
    ]);
    expect(JSON.stringify(await reads())).not.toContain('비밀');
    expect((await admin.call('GET', `/api/admin/turns/${failed}?include=content`)).body).toMatchObject({
      question: SECRET,
      answer: null,
    });
  });

  test('that is unknown is 404, and nothing is audited for it', async () => {
    const unknown = randomUUID();
    expect((await admin.call('GET', `/api/admin/turns/${unknown}?include=content`)).body.code).toBe('not_found');
    expect((await admin.call('GET', '/api/admin/turns/1')).status).toBe(404);
    expect((await admin.call('GET', `/api/admin/audit?target=turn:${unknown}`)).body.items).toEqual([]);
  });

  test('with ?include=everything is refused', async () => {
    expect((await admin.call('GET', `/api/admin/turns/${failed}?include=everything`)).body).toMatchObject({
      code: 'invalid_request',
      field: 'include',
    });
  });
});

test('nobody but an admin sees any of it', async () => {
  for (const path of [
    '/api/admin/turns',
    `/api/admin/turns/${completed.turnId}`,
    `/api/admin/turns/${completed.turnId}?include=content`,
  ]) {
    expect((await person.call('GET', path)).body.code).toBe('forbidden');
  }
});
