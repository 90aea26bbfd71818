import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { sql } from 'kysely';
import { Gate } from '../fake-model/scenario.ts';
import { runCommand } from '../support/cli.ts';
import { readEvents } from '../support/events.ts';
import { startTestStack, type Person, type TestStack } from '../support/stack.ts';
import { until } from '../support/until.ts';

let stack: TestStack;
let person: Person;
let failedTurn: string;
let answeredTurn: string;

beforeAll(async () => {
  stack = await startTestStack();
  person = await stack.person();
  stack.model.next({ status: 401, error: { code: 'invalid_api_key' } });
  failedTurn = (await person.call('POST', '/api/chat/send', { message: '비밀 질문' })).body.turnId;
  answeredTurn = (await person.call('POST', '/api/chat/send', { message: '비밀 질문' })).body.turnId;
});
afterAll(() => stack.close());

const turnkeeper = (...args: string[]) => runCommand(stack, args);

async function json(...args: string[]): Promise<any> {
  const { status, stdout, stderr } = await turnkeeper(...args, '--json');
  expect([status, stderr]).toEqual([0, '']);
  return JSON.parse(stdout);
}

const auditOf = async (target: string) =>
  (
    await sql<{ action: string; admin: number | null; reason: string }>`
  select action, admin_id as admin, reason from audit_entries where target = ${target} order by id`.execute(
      stack.db.database.sql,
    )
  ).rows;

describe('redrive', () => {
  test('start asks first, replays what was planned once, and says how far it is; what is over stays as it is', async () => {
    const someone = await stack.person();
    for (const question of ['하나', '둘', '셋']) {
      stack.model.next({ status: 401 });
      expect((await someone.call('POST', '/api/chat/send', { message: question })).status).toBe(502);
    }
    const which = ['--user', String(someone.userId), '--reason', 'key mended'];
    const [plan, unasked] = await Promise.all([
      json('redrive', 'start', ...which, '--dry-run'),
      turnkeeper('redrive', 'start', ...which),
    ]);
    expect(plan).toMatchObject({ count: 3, matched: 3, skipped: { superseded: 0, suspended: 0 } });
    expect([unasked.status, unasked.stderr]).toEqual([1, expect.stringContaining('Say --yes')]);
    const calls = stack.model.requests.length;
    const { status, stdout, stderr } = await turnkeeper(
      'redrive',
      'start',
      ...which,
      '--rate',
      '50',
      '--yes',
      '--wait',
      '--json',
    );
    expect(status).toBe(0);
    const redrive = JSON.parse(stdout);
    expect(redrive).toMatchObject({ state: 'completed', progress: { completed: 3, waiting: 0, failed: 0 } });
    expect(stderr).toContain('completed [####################] 3/3');
    expect(stack.model.requests).toHaveLength(calls + 3);
    expect(await json('redrive', 'cancel', redrive.redriveId)).toMatchObject({ state: 'completed' });
    const [shown, unknown, again] = await Promise.all([
      turnkeeper('redrive', 'status', redrive.redriveId),
      turnkeeper('redrive', 'status', randomUUID()),
      json('redrive', 'start', ...which),
    ]);
    expect(shown.stdout).toContain('3/3');
    expect(unknown.stderr).toContain('no such');
    expect(again).toMatchObject({ count: 0 });
    expect(await auditOf(`redrive:${redrive.redriveId}`)).toMatchObject([
      { action: 'redrive.start', admin: null, reason: 'key mended' },
      { action: 'redrive.cancel' },
    ]);
    // Twice: the turn fails, and fails again when it is replayed.
    for (const [status, way] of [
      [502, () => someone.call('POST', '/api/chat/send', { message: '넷' })],
      [2, () => turnkeeper('redrive', 'start', ...which, '--wait')],
    ] as const) {
      stack.model.next({ status: 401 });
      expect(await way()).toMatchObject({ status });
    }
    const {
      body: {
        items: [last],
      },
    } = await (await stack.person('admin')).call('GET', '/api/admin/redrives?limit=1');
    expect(last).toMatchObject({ state: 'completed', progress: { failed: 1 } });
    expect((await turnkeeper('redrive', 'status', last.redriveId, '--wait')).status).toBe(2);
  });

  test('list: newest first, how far each is, by whom and why, also those that an admin has begun', async () => {
    const [admin, someone] = [await stack.person('admin'), await stack.person()];
    stack.model.next({ status: 401 });
    await someone.call('POST', '/api/chat/send', { message: '넷' });
    const {
      body: { redriveId },
    } = await admin.call('POST', '/api/admin/turns/replay', { filter: { userId: someone.userId }, reason: 'by\nhand' });
    await until(async () => (await admin.call('GET', `/api/admin/redrives/${redriveId}`)).body.state === 'completed');
    const [page, { stdout }] = await Promise.all([
      json('redrive', 'list', '--limit', '1'),
      turnkeeper('redrive', 'list'),
    ]);
    expect(page).toMatchObject({ items: [{ redriveId, reason: 'by\nhand', state: 'completed' }] });
    expect(stdout).toMatch(
      new RegExp(`^redrive .*\n${redriveId} +\\S+ +completed +1/1 +${admin.userId} +by hand$`, 'm'),
    );
  });
});

describe('turns', () => {
  test('list: a filter, counts by code, and not a word of a chat', async () => {
    const [page, { stdout }, none] = await Promise.all([
      json('turns', 'list', '--state', 'failed', '--user', String(person.userId)),
      turnkeeper('turns', 'list'),
      turnkeeper('turns', 'list', '--to', '2020-01-01'),
    ]);
    expect(page).toMatchObject({
      items: [{ turnId: failedTurn, error: 'model_rejected' }],
      nextCursor: null,
      failures: [{ code: 'model_rejected', count: 1, more: false }],
    });
    expect(stdout).toContain(failedTurn);
    expect(stdout).toContain(answeredTurn);
    expect(stdout).not.toContain('비밀');
    expect(none.stdout).toBe('No turn matches.\n');
  });

  test('show: why it failed, in the provider’s own status, and which workflow it was', async () => {
    const [shown, { stdout }] = await Promise.all([
      json('turns', 'show', failedTurn),
      turnkeeper('turns', 'show', answeredTurn),
    ]);
    expect(shown).toMatchObject({
      turn: { state: 'failed', content: null },
      debits: [],
      attempts: [{ providerStatus: 401 }],
      workflowId: `turn/${person.userId}/${failedTurn}`,
    });
    expect(stdout).toMatch(/^state +completed$/m);
    expect(stdout).toMatch(/^debit +\d+ tokens in \d{4}-\d{2}, entry \d+$/m);
    expect(stdout).toMatch(/ accepted[\s\S]* held[\s\S]* attempt_ended[\s\S]* settled[\s\S]* ended/);
  });

  test('replay: runs it again, once, with its reason in the audit log', async () => {
    expect((await turnkeeper('turns', 'replay', failedTurn)).stderr).toContain('--reason');
    expect(await json('turns', 'replay', failedTurn, '--reason', 'key mended')).toMatchObject({
      turnId: failedTurn,
      workflowId: `turn/${person.userId}/${failedTurn}`,
    });
    await until(async () => (await person.call('GET', `/api/chat/turns/${failedTurn}`)).body.state === 'completed');
    expect(await auditOf(`turn:${failedTurn}`)).toEqual([{ action: 'turn.replay', admin: null, reason: 'key mended' }]);
    expect(await turnkeeper('turns', 'replay', failedTurn, '--reason', 'again')).toMatchObject({
      status: 1,
      stderr: 'turnkeeper: Refused: turn_not_failed.\n',
    });
  });

  test('what does not exist, or is no instant, is said in one sentence', async () => {
    const refusals: [string[], unknown][] = [
      [['show', randomUUID()], 'turnkeeper: There is no such user, turn, redrive or grant.\n'],
      [['show', 'lost'], expect.stringContaining('It must be a UUID.')],
      [['replay', 'lost', '--reason', 'r'], expect.stringContaining('It must be a UUID.')],
      [['list', '--from', 'yesterday'], expect.stringContaining('It must be an instant like')],
      [['list', '--state', 'lost'], expect.stringContaining('accepted, running')],
    ];
    const answers = await Promise.all(refusals.map(([args]) => turnkeeper('turns', ...args)));
    expect(answers).toEqual(refusals.map(([, stderr]) => ({ status: 1, stdout: '', stderr })));
  });
});

describe('users', () => {
  test('show: usage, holds and ledger', async () => {
    const [shown, unknown] = await Promise.all([
      json('user', 'show', String(person.userId)),
      turnkeeper('user', 'show', '999999'),
    ]);
    expect(shown).toMatchObject({
      user: { userId: person.userId, suspendedAt: null },
      usage: { level: 'NORMAL' },
      holds: [],
      entries: [
        { kind: 'debit', turnId: failedTurn },
        { kind: 'debit', turnId: answeredTurn },
      ],
    });
    expect(unknown.status).toBe(1);
  });

  test('suspend asks first, stops what runs, is audited, and resume lets send again', async () => {
    const other = await stack.person();
    expect(await turnkeeper('user', 'suspend', String(other.userId), '--reason', 'abuse')).toMatchObject({
      status: 1,
      stderr: expect.stringContaining('Say --yes'),
    });
    const gate = new Gate(2);
    stack.model.next({ gate });
    const {
      body: { turnId },
    } = await other.call('POST', '/api/chat/send', { message: '안녕' }, { prefer: 'respond-async' });
    await gate.reached;
    expect(await json('user', 'suspend', String(other.userId), '--reason', 'abuse', '--yes')).toEqual({
      suspended: true,
      stopping: [turnId],
    });
    expect((await readEvents(await other.raw('GET', `/api/chat/turns/${turnId}/events`))).at(-1)?.event).toBe(
      'stopped',
    );
    expect((await other.call('POST', '/api/chat/send', { message: '안녕' })).body.code).toBe('account_suspended');
    expect(await json('user', 'resume', String(other.userId), '--reason', 'settled')).toEqual({ suspended: false });
    expect((await other.call('POST', '/api/chat/send', { message: '안녕' })).status).toBe(200);
    expect(await auditOf(`user:${other.userId}`)).toEqual([
      { action: 'user.suspend', admin: null, reason: 'abuse' },
      { action: 'user.resume', admin: null, reason: 'settled' },
    ]);
  });
});

test('stats: what PostgreSQL says now', async () => {
  const [stats, { stdout }] = await Promise.all([json('stats', '--top', '1'), turnkeeper('stats')]);
  expect(stats).toMatchObject({
    overview: { activeUsers: expect.any(Number) },
    topUsers: [{ usedTokens: expect.any(Number) }],
  });
  expect(stdout).toMatch(/^totalUsers +\d+$/m);
});

test('reconcile run: a worker mends, and counters that differ are exit code 2', async () => {
  expect(await json('reconcile', 'run')).toMatchObject({ mismatches: 0 });
  await sql`update periods set allowance_tokens = allowance_tokens, used_tokens = used_tokens + 1, spent_allowance_tokens = spent_allowance_tokens + 1
    where account_id = (select id from accounts where user_id = ${person.userId})`.execute(stack.db.database.sql);
  const { status, stdout } = await turnkeeper('reconcile', 'run');
  expect(status).toBe(2);
  expect(stdout).toMatch(/^mismatches +[1-9]/m);
});
