import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { sql } from 'kysely';
import { createRedrive, moveRedrive } from '../../db/redrives/redrives.ts';
import { redriveWorkflowId } from '../../workflows/contract/ids.ts';
import { SEARCH_ATTRIBUTES } from '../../workflows/contract/search-attributes.ts';
import { Gate } from '../fake-model/scenario.ts';
import { restartRedrive } from '../support/redrive.ts';
import { startTestStack, type Person, type TestStack } from '../support/stack.ts';
import { TestTurn } from '../support/turn.ts';
import { until } from '../support/until.ts';
import { reconcile } from '../workflow/stage.ts';

const ANSWER = { chunks: ['다시', ' 답변'], usage: { prompt_tokens: 20, completion_tokens: 6 } };
let stack: TestStack;
let admin: Person;
let person: Person;
beforeAll(async () => {
  stack = await startTestStack();
  admin = await stack.person('admin');
});
afterAll(() => stack.close());
beforeEach(async () => {
  person = await stack.person();
  stack.model.always(ANSWER);
});

/** Failed turns of the person, each in a conversation of its own. */
async function failedTurns(count: number): Promise<TestTurn[]> {
  stack.model.always({ status: 400, error: { code: 'model_broken' } });
  const turns = Array.from({ length: count }, () => new TestTurn(stack, person));
  await Promise.all(turns.map((turn) => turn.send()));
  stack.model.always(ANSWER);
  return turns;
}

const ask = (body: object) =>
  admin.call('POST', '/api/admin/turns/replay', {
    filter: { userId: person.userId },
    reason: 'outage',
    ratePerSecond: 50,
    ...body,
  });
const read = async (redriveId: string, query = '') =>
  (await admin.call('GET', `/api/admin/redrives/${redriveId}${query}`)).body;
const over = (redriveId: string) =>
  until(async () => ['completed', 'cancelled'].includes((await read(redriveId)).state));

async function debitsOfPerson(): Promise<number> {
  const { rows } = await sql<{
    count: number;
  }>`select count(*)::int as count from ledger_entries e join turns t on t.id = e.turn_id where t.user_id = ${person.userId}`.execute(
    stack.db.database.sql,
  );
  return rows[0]?.count ?? -1;
}

test('forty turns fail; an admin finds the cause in three requests, one call replays them, the ledger shows forty debits', async () => {
  const turns = await failedTurns(40);
  const { body: failed } = await admin.call('GET', `/api/admin/turns?state=failed&userId=${person.userId}`);
  expect(failed.counts).toEqual([{ code: 'model_rejected', count: 40, more: false }]);
  const { body: cause } = await admin.call('GET', `/api/admin/turns/${failed.items[0].turnId}`);
  expect(cause.attempts.at(-1).provider).toMatchObject({ status: 400, code: 'model_broken' });
  const calls = stack.model.requests.length;
  const { status, body: plan } = await ask({ dryRun: true });
  expect([status, plan.count, plan.matched, plan.sample.length]).toEqual([200, 40, 40, 20]);
  expect(await debitsOfPerson()).toBe(0);
  const started = await ask({ confirm: 40 });
  expect([started.status, started.body]).toEqual([202, { redriveId: expect.any(String), count: 40 }]);
  const { redriveId } = started.body;
  expect(started.headers.get('location')).toBe(`/api/admin/redrives/${redriveId}`);
  await over(redriveId);
  expect(await read(redriveId)).toMatchObject({
    state: 'completed',
    adminId: admin.userId,
    count: 40,
    reason: 'outage',
    filter: { userId: person.userId },
    endedAt: expect.any(String),
    progress: {
      waiting: 0,
      running: 0,
      completed: 40,
      stopped: 0,
      failed: 0,
      skipped: { superseded: 0, suspended: 0, busy: 0, not_failed: 0, api: 0, erased: 0 },
    },
  });
  expect(await debitsOfPerson()).toBe(40);
  expect(stack.model.requests.length - calls).toBe(40);
  expect((await turns[0]?.books())?.liveHolds).toBe(0);
  const history = await stack.temporal.client.workflow.getHandle(redriveWorkflowId(redriveId)).fetchHistory();
  expect(JSON.stringify(history)).not.toContain('outage');
  expect((await admin.call('GET', `/api/admin/audit?target=redrive:${redriveId}`)).body.items).toMatchObject([
    { action: 'redrive.start', reason: 'outage', after: { count: 40, matched: 40, 'filter.userId': person.userId } },
  ]);
});

describe('asking ten times at once', () => {
  test('under one key starts one redrive, which each is told of; another body is a conflict', async () => {
    await failedTurns(3);
    const askUnder = (key: string, body: object) =>
      admin.call(
        'POST',
        '/api/admin/turns/replay',
        { filter: { userId: person.userId }, reason: 'outage', ...body },
        { 'idempotency-key': key },
      );
    // A dry run binds no key.
    expect((await askUnder('k', { dryRun: true })).body).toEqual({
      count: 3,
      matched: 3,
      skipped: { superseded: 0, suspended: 0, api: 0 },
      sample: expect.any(Array),
    });
    const answers = await Promise.all(Array.from({ length: 10 }, () => askUnder('k', { confirm: 3 })));
    expect(new Set(answers.map(({ status, body }) => `${status} ${body.count}`))).toEqual(new Set(['202 3']));
    expect(new Set(answers.map(({ body }) => body.redriveId)).size).toBe(1);
    await over(answers[0]?.body.redriveId);
    expect((await askUnder('k', { confirm: 3 })).body).toEqual(answers[0]?.body);
    expect((await askUnder('k', { confirm: 3, reason: 'another' })).body.code).toBe('idempotency_conflict');
    expect(await debitsOfPerson()).toBe(3);
    expect(
      (await admin.call('GET', `/api/admin/audit?target=redrive:${answers[0]?.body.redriveId}`)).body.items,
    ).toHaveLength(1);
  });

  test('without a key starts one as well: a turn is in one redrive at a time, until that is over', async () => {
    await failedTurns(3);
    // Nothing of it begins, so that all three turns stay in it.
    const answers = await Promise.all(Array.from({ length: 10 }, () => ask({ confirm: 3, ratePerSecond: 1 })));
    const started = answers.filter(({ status }) => status === 202);
    expect(started).toHaveLength(1);
    for (const { status, body } of answers)
      if (status !== 202) expect(body).toMatchObject({ code: 'confirm_required', count: 0, held: 3 });
    const { redriveId } = started[0]?.body;
    await admin.call('POST', `/api/admin/redrives/${redriveId}/cancel`);
    await over(redriveId);
    // What it has not done may be done by the next.
    const { waiting } = (await read(redriveId)).progress;
    expect((await ask({ dryRun: true })).body).toMatchObject({ count: waiting, matched: waiting });
  });
});

describe('asking', () => {
  test('for more than one without confirm, or with another count, is 409 confirm_required with the count, and nothing runs', async () => {
    await failedTurns(3);
    for (const body of [{}, { confirm: 2 }, { confirm: 4 }, { confirm: 0 }, { limit: 2, confirm: 3 }]) {
      const answer = await ask(body);
      expect([answer.status, answer.body.code, answer.body.count]).toEqual([
        409,
        'confirm_required',
        'limit' in body ? 2 : 3,
      ]);
    }
    expect((await admin.call('GET', `/api/admin/turns?state=failed&userId=${person.userId}`)).body.items).toHaveLength(
      3,
    );
  });

  test('for one needs no confirm; for what matches nothing is a success that says 0', async () => {
    await failedTurns(1);
    const { status, body } = await ask({});
    expect([status, body.count]).toEqual([202, 1]);
    await over(body.redriveId);
    expect(await ask({})).toMatchObject({ status: 200, body: { count: 0, matched: 0, sample: [] } });
    expect(await ask({ dryRun: true, filter: { userId: person.userId, code: 'content_filtered' } })).toMatchObject({
      status: 200,
      body: { count: 0 },
    });
  });

  test.each<[string, object]>([
    ['reason', { reason: undefined }],
    ['reason', { reason: '' }],
    ['filter', { filter: undefined }],
    ['filter.state', { filter: { state: 'completed' } }],
    ['filter.code', { filter: { code: 'none' } }],
    ['ratePerSecond', { ratePerSecond: 0 }],
    ['ratePerSecond', { ratePerSecond: 51 }],
    ['limit', { limit: 0 }],
    ['limit', { limit: 10_001 }],
    ['confirm', { confirm: -1 }],
    ['force', { force: true }],
  ])('with a bad %s is 400', async (field, body) => {
    const answer = await ask(body);
    expect([answer.status, answer.body.code, answer.body.field]).toEqual([400, 'invalid_request', field]);
  });

  test('is for admins only, and an unknown redrive is 404', async () => {
    expect((await person.call('POST', '/api/admin/turns/replay', { filter: {}, reason: 'r' })).body.code).toBe(
      'forbidden',
    );
    for (const [method, path] of [
      ['GET', ''],
      ['POST', '/pause'],
      ['POST', '/resume'],
      ['POST', '/cancel'],
    ] as const) {
      expect((await admin.call(method, `/api/admin/redrives/0198c0de-0000-7000-8000-000000000000${path}`)).status).toBe(
        404,
      );
    }
  });
});

describe('what is left out', () => {
  test('a turn whose conversation has a later completed one, unless told; a suspended person’s turns', async () => {
    const [turn] = await failedTurns(2);
    const {
      body: { conversationId },
    } = await (turn as TestTurn).read();
    await new TestTurn(stack, person, { message: '다음', conversationId }).send();
    expect((await ask({ dryRun: true })).body).toMatchObject({
      count: 1,
      matched: 2,
      skipped: { superseded: 1, suspended: 0, api: 0 },
    });
    expect((await ask({ dryRun: true, includeSuperseded: true })).body).toMatchObject({
      count: 2,
      skipped: { superseded: 0 },
    });
    const {
      body: { redriveId },
    } = await ask({ includeSuperseded: true, confirm: 2 });
    await over(redriveId);
    expect((await read(redriveId)).progress).toMatchObject({ completed: 2 });
    expect(await debitsOfPerson()).toBe(3);
    await failedTurns(1);
    await admin.call('POST', `/api/admin/users/${person.userId}/suspend`, { reason: 'r' });
    expect((await ask({})).body).toMatchObject({ count: 0, matched: 1, skipped: { superseded: 0, suspended: 1 } });
  });

  test('a busy conversation is tried later, when its turn has ended', async () => {
    const [turn] = await failedTurns(1);
    const {
      body: { conversationId },
    } = await (turn as TestTurn).read();
    const gate = new Gate('request');
    stack.model.next({ gate });
    const later = new TestTurn(stack, person, { message: '다음', conversationId });
    await later.send({}, { prefer: 'respond-async' });
    await gate.reached;
    const {
      body: { redriveId },
    } = await ask({ includeSuperseded: true });
    await until(async () => {
      const { rows } = await sql<{
        tries: number;
      }>`select tries from redrive_turns where redrive_id = ${redriveId}`.execute(stack.db.database.sql);
      return (rows[0]?.tries ?? 0) > 0;
    });
    expect(await read(redriveId)).toMatchObject({ state: 'running', progress: { waiting: 1 } });
    gate.open();
    await over(redriveId);
    expect(await read(redriveId)).toMatchObject({ state: 'completed', progress: { completed: 1 } });
    expect(await debitsOfPerson()).toBe(2);
  });

  test('what has no room stays failed with TOKEN_EXHAUSTED and is counted so', async () => {
    await failedTurns(1);
    await person.call('POST', '/api/ai-usage/test-usage', { userId: person.userId, usagePercent: 105 });
    const {
      body: { redriveId },
    } = await ask({});
    await over(redriveId);
    expect(await read(redriveId)).toMatchObject({
      progress: { failed: 1, completed: 0 },
      turns: { items: [{ state: 'failed', code: 'TOKEN_EXHAUSTED' }] },
    });
    expect(await debitsOfPerson()).toBe(0);
  });
});

describe('under way', () => {
  test('it can be paused, resumed and cancelled half way, and then says exactly what was done and what was not', async () => {
    const turns = await failedTurns(6);
    const {
      body: { redriveId },
    } = await ask({ confirm: 6, ratePerSecond: 2 });
    await until(async () => (await read(redriveId)).progress.completed >= 2);
    const paused = await admin.call('POST', `/api/admin/redrives/${redriveId}/pause`, { reason: '확인 중' });
    expect([paused.status, paused.body.state]).toEqual([200, 'paused']);
    expect((await admin.call('POST', `/api/admin/redrives/${redriveId}/resume`)).body.state).toBe('running');
    expect((await admin.call('POST', `/api/admin/redrives/${redriveId}/cancel`)).body.state).toMatch(/^cancel/);
    await over(redriveId);
    const { state, progress, count } = await read(redriveId);
    expect([state, count, progress.waiting + progress.completed, progress.running]).toEqual(['cancelled', 6, 6, 0]);
    expect(progress.waiting).toBeGreaterThan(0);
    expect(await debitsOfPerson()).toBe(progress.completed);
    const done = (await read(redriveId, '?state=completed')).turns.items.map(
      ({ turnId }: { turnId: string }) => turnId,
    );
    const notDone = (await read(redriveId, '?state=waiting')).turns.items.map(
      ({ turnId }: { turnId: string }) => turnId,
    );
    expect([...done, ...notDone].sort()).toEqual(turns.map(({ turnId }) => turnId).sort());
    for (const turn of turns) expect((await turn.books()).debits).toBe(done.includes(turn.turnId) ? 1 : 0);
    expect((await admin.call('POST', `/api/admin/redrives/${redriveId}/resume`)).body.state).toBe('cancelled');
    expect(
      (await admin.call('GET', `/api/admin/audit?target=redrive:${redriveId}`)).body.items.map(
        ({ action }: { action: string }) => action,
      ),
    ).toEqual(['redrive.resume', 'redrive.cancel', 'redrive.resume', 'redrive.pause', 'redrive.start']);
    expect((await admin.call('GET', '/api/admin/redrives?limit=1')).body.items).toMatchObject([
      { redriveId, state: 'cancelled' },
    ]);
  });

  test('a cancel in the Temporal UI means the same', async () => {
    await failedTurns(4);
    const {
      body: { redriveId },
    } = await ask({ confirm: 4, ratePerSecond: 1 });
    await until(async () => (await read(redriveId)).progress.completed >= 1);
    await stack.temporal.client.workflow.getHandle(redriveWorkflowId(redriveId)).cancel();
    await over(redriveId);
    const { state, progress } = await read(redriveId);
    expect([state, progress.completed + progress.waiting, await debitsOfPerson()]).toEqual([
      'cancelled',
      4,
      progress.completed,
    ]);
  });

  test('one whose workflow is lost keeps its progress, and resuming starts it again', async () => {
    await failedTurns(4);
    const {
      body: { redriveId },
    } = await ask({ confirm: 4, ratePerSecond: 1 });
    await until(async () => (await read(redriveId)).progress.completed >= 1);
    await stack.temporal.client.workflow.getHandle(redriveWorkflowId(redriveId)).terminate('lost');
    expect(await read(redriveId)).toMatchObject({ state: 'running', count: 4 });
    await admin.call('POST', `/api/admin/redrives/${redriveId}/resume`);
    await over(redriveId);
    expect(await read(redriveId)).toMatchObject({ state: 'completed', progress: { completed: 4 } });
    expect(await debitsOfPerson()).toBe(4);
  });

  test('one that stands in PostgreSQL and nowhere else is found by reconcile, whatever its state, and starts once', async () => {
    const { database } = stack.db;
    await failedTurns(4);
    const create = (reason: string, limit: number) =>
      createRedrive(database, {
        filter: { userId: person.userId },
        limit,
        includeSuperseded: false,
        reason,
        ratePerSecond: 50,
        confirm: limit,
        actor: { adminId: admin.userId, requestId: 'test' },
      });
    // The answer of the COMMIT was lost, or the process ended before the start: its door never said which id it has.
    const [lost, paused] = [(await create('lost', 3)).redriveId ?? '', (await create('paused', 1)).redriveId ?? ''];
    await moveRedrive(database, { redriveId: paused, to: 'paused', actor: null, reason: null });
    await quieten(lost, paused);
    expect(await reconcile(stack)).toMatchObject({ redrives: 2, failed: 0 });
    await over(lost);
    expect(await read(lost)).toMatchObject({ state: 'completed', progress: { completed: 3 } });
    expect(await read(paused)).toMatchObject({ state: 'paused' });
    // Control: one that is over, and one whose workflow is there, are left alone.
    expect(await reconcile(stack)).toMatchObject({ redrives: 0 });
    await admin.call('POST', `/api/admin/redrives/${paused}/cancel`);
    await over(paused);
    expect(await debitsOfPerson()).toBe(3);
  });

  async function quieten(...redriveIds: string[]): Promise<void> {
    await sql`update redrives set created_at = now() - interval '1 hour' where id in (${sql.join(redriveIds)})`.execute(
      stack.db.database.sql,
    );
  }

  test('one whose history has grown goes on as a new run: it begins nothing twice, and the Temporal UI still says what it is', async () => {
    const { client } = stack.temporal;
    await failedTurns(6);
    const calls = stack.model.requests.length;
    const {
      body: { redriveId },
    } = await ask({ confirm: 6, ratePerSecond: 1 });
    const workflowId = redriveWorkflowId(redriveId);
    await until(async () => (await read(redriveId)).progress.completed >= 1);
    await restartRedrive(stack, workflowId, { ratePerSecond: 2, mostEvents: 10 });
    await over(redriveId);
    expect(await read(redriveId)).toMatchObject({
      state: 'completed',
      progress: { completed: 6, failed: 0, waiting: 0 },
    });
    expect([await debitsOfPerson(), stack.model.requests.length - calls]).toEqual([6, 6]);
    const last = client.workflow.getHandle(workflowId);
    await last.result();
    expect((await last.describe()).typedSearchAttributes.get(SEARCH_ATTRIBUTES.userId)).toBe(String(person.userId));
    expect((await last.query<{ currentDetails: string }>('__temporal_workflow_metadata')).currentDetails).toMatch(
      /^completed, 6 turns, 2 a second: 6 completed/,
    );
    await until(async () => {
      const ends: string[] = [];
      for await (const { status } of client.workflow.list({ query: `WorkflowId = "${workflowId}"` }))
        ends.push(status.name);
      const count = (name: string) => ends.filter((end) => end === name).length;
      return count('TERMINATED') === 1 && count('CONTINUED_AS_NEW') >= 2 && count('COMPLETED') === 1;
    });
  });
});
