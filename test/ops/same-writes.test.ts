import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { createClient } from 'redis';
import { grantTokens } from '../../db/money/grants.ts';
import { findAccount } from '../../db/money/accounts.ts';
import { setTestUsage } from '../../db/money/usage.ts';
import { SCHEDULE_KINDS } from '../../domain/schedules.ts';
import { compareSchedules } from '../../operations/repair-schedules.ts';
import { REPAIR_SCHEDULES_ID } from '../../workflows/contract/ids.ts';
import { Gate } from '../fake-model/scenario.ts';
import { runCommand } from '../support/cli.ts';
import { TestSchedule } from '../support/schedules.ts';
import { redisUrl, startTestStack, type Person, type TestStack } from '../support/stack.ts';
import { TestTurn } from '../support/turn.ts';
import { until } from '../support/until.ts';

/** The person whose tokens or turn is written, and the turn or the ledger entry. */
interface Subject {
  readonly person: Person;
  readonly turn: TestTurn;
  readonly entryId: number;
}

interface Way {
  /** Prepares what the write needs. */
  prepare(person: Person): Promise<Partial<Subject>>;
  api(subject: Subject): [path: string, body: object];
  cli(subject: Subject): string[];
  readonly leaves: Effects;
}

/** What a write leaves behind, whoever wrote. */
interface Effects {
  readonly schedules: readonly string[];
  /** The messages published to those who follow the account or watch the turn. */
  readonly published: readonly string[];
  /** What Temporal was asked to do with the turn's newest run; null when it has none. */
  readonly run: { readonly queue: string; readonly asked: readonly string[] } | null;
}

const reason = 'test';
const WAYS: Record<string, Way> = {
  grant: {
    // Temporal was away at this person's last write, so the next write arms what they need.
    prepare: (person) => putAt(person, 92),
    api: ({ person }) => [`/api/admin/users/${person.userId}/grants`, { tokens: 1, reason }],
    cli: ({ person }) => ['user', 'grant', '--user', String(person.userId), '--tokens', '1', '--reason', reason],
    leaves: { schedules: ['reset', 'alert'], published: ['account changed'], run: null },
  },
  reverse: {
    async prepare(person) {
      await putAt(person, 92);
      return grantTokens(stack.db.database, { userId: person.userId, tokens: 100_000, reason, key: randomUUID() });
    },
    api: ({ entryId }) => [`/api/admin/grants/${entryId}/reversals`, { tokens: 100_000, reason }],
    cli: ({ entryId }) => ['user', 'reverse', '--entry', String(entryId), '--tokens', '100000', '--reason', reason],
    leaves: { schedules: ['reset', 'alert'], published: ['account changed'], run: null },
  },
  replay: {
    async prepare(person) {
      const turn = new TestTurn(stack, person);
      stack.model.next({ status: 401 });
      await turn.send();
      await turn.ended();
      return { turn };
    },
    api: ({ turn }) => [`/api/admin/turns/${turn.turnId}/replay`, { reason }],
    cli: ({ turn }) => ['turns', 'replay', turn.turnId, '--reason', reason],
    leaves: { schedules: [], published: ['turn changed'], run: { queue: 'background', asked: ['start'] } },
  },
  suspend: {
    async prepare(person) {
      const turn = new TestTurn(stack, person);
      const gate = new Gate(2);
      gates.push(gate);
      stack.model.next({ gate });
      await turn.send({}, { prefer: 'respond-async' });
      await gate.reached;
      return { turn };
    },
    api: ({ person }) => [`/api/admin/users/${person.userId}/suspend`, { reason }],
    cli: ({ person }) => ['user', 'suspend', String(person.userId), '--reason', reason, '--yes'],
    leaves: {
      schedules: [],
      published: ['account changed', 'turn stop'],
      run: { queue: 'turns', asked: ['start', 'cancel'] },
    },
  },
  resume: {
    async prepare(person) {
      await admin.call('POST', `/api/admin/users/${person.userId}/suspend`, { reason });
      return {};
    },
    api: ({ person }) => [`/api/admin/users/${person.userId}/resume`, { reason }],
    cli: ({ person }) => ['user', 'resume', String(person.userId), '--reason', reason],
    leaves: { schedules: [], published: ['account changed'], run: null },
  },
};

const REDIS_URL = redisUrl();
const monitor = createClient({ url: REDIS_URL });
const gates: Gate[] = [];
/** For each way: a subject for the API, one for the command, and one for a command that cannot reach Temporal. */
const prepared = new Map<string, [api: Subject, cli: Subject, cut: Subject]>();
let published: { channel: string; text: string }[] = [];
let stack: TestStack;
let admin: Person;

/** No worker runs during the writes, so that only the write's own effects are seen. */
beforeAll(async () => {
  stack = await startTestStack({ REDIS_URL }, { works: false });
  admin = await stack.person('admin');
  const worker = await stack.startWorker();
  // The first daily repair must not arm what a write has to arm here.
  await new TestSchedule(stack, REPAIR_SCHEDULES_ID).results(1);
  for (const [name, way] of Object.entries(WAYS))
    prepared.set(name, [await prepare(way), await prepare(way), await prepare(way)]);
  await worker.close();
  for (const gate of gates) gate.open();
  await monitor.connect();
  await monitor.monitor(hear);
});
afterAll(async () => {
  monitor.destroy();
  await stack.close();
});

test.each(Object.keys(WAYS))(
  '%s leaves the same schedules and sends the same signals by the API and by a command',
  async (name) => {
    const {
      api,
      cli,
      leaves,
      subjects: [byApi, byCli],
    } = wayOf(name);
    const [path, body] = api(byApi);
    const answer = await admin.call('POST', path, body, { 'idempotency-key': randomUUID() });
    expect(answer.status).toBeLessThan(300);
    expect(await effectsOf(byApi)).toEqual(leaves);
    expect(await runCommand(stack, cli(byCli), { REDIS_URL })).toMatchObject({ status: 0, stderr: '' });
    expect(await effectsOf(byCli)).toEqual(leaves);
    for (const subject of [byApi, byCli]) expect(await faultsOf(subject)).toEqual([]);
  },
);

test('a grant stands when there is no Temporal to arm its schedules: one sentence says so', async () => {
  const {
    cli,
    leaves,
    subjects: [, , subject],
  } = wayOf('grant');
  const done = await runCommand(stack, [...cli(subject), '--json'], { REDIS_URL, TEMPORAL_ADDRESS: '' });
  expect(done).toMatchObject({ status: 0, stdout: expect.stringContaining('"tokens":1,') });
  expect(done.stderr).toMatch(/^turnkeeper: schedules were not armed \(SetupError: No Temporal server: .*\)\n$/);
  expect(await effectsOf(subject)).toEqual({ ...leaves, schedules: [] });
  expect(await faultsOf(subject)).toEqual(['reset missing', 'alert missing']);
});

test('a replay that Temporal refuses to start has failed again, and all who look on are told', async () => {
  const {
    cli,
    subjects: [, , subject],
  } = wayOf('replay');
  const done = await runCommand(stack, cli(subject), { REDIS_URL, TEMPORAL_NAMESPACE: 'no-such-namespace' });
  expect([done.status, done.stdout]).toEqual([1, '']);
  expect(done.stderr).toContain('turnkeeper: Temporal refused to start the turn, which has failed again.\n');
  expect((await effectsOf(subject)).published).toEqual(['turn changed', 'turn changed', 'account changed']);
  expect((await subject.turn.read()).body).toMatchObject({ state: 'failed', error: { code: 'interrupted' } });
});

function wayOf(name: string) {
  const [way, subjects] = [WAYS[name], prepared.get(name)];
  if (way === undefined || subjects === undefined) throw new Error(`no way is named ${name}`);
  return { ...way, subjects };
}

async function prepare(way: Way): Promise<Subject> {
  const person = await stack.person();
  return { person, turn: new TestTurn(stack, person), entryId: 0, ...(await way.prepare(person)) };
}

/** Writes only to the database: nothing is announced and nothing is armed. */
async function putAt({ userId }: Person, percent: number): Promise<object> {
  const account = await findAccount(stack.db.database.sql, userId);
  if (account === null) throw new Error('each person has an account');
  return setTestUsage(stack.db.database, { ...account, percent });
}

function hear(line: string): void {
  const [, database, channel = '', text = ''] = /\[(\d+) [^\]]*\] "PUBLISH" "([^"]*)" "([^" ]*)/i.exec(line) ?? [];
  // Other test files use the same server, each in a database of its own.
  if (database !== undefined && new URL(REDIS_URL).pathname === `/${database}`) published.push({ channel, text });
}

async function effectsOf({ person: { userId }, turn }: Subject): Promise<Effects> {
  const found = await Promise.all(SCHEDULE_KINDS.map((kind) => stack.planner.find(kind, userId)));
  return {
    schedules: found.flatMap((schedule) => schedule?.kind ?? []),
    published: await publishedTo({ [`account:${userId}`]: 'account', [`turn:${turn.turnId}`]: 'turn' }),
    run: await askedOfTemporal(turn),
  };
}

/** Everything published before now, by the stack's own connection or by a command that has ended. */
async function publishedTo(names: Record<string, string>): Promise<string[]> {
  const mark = randomUUID();
  await stack.redis.commands.publish('mark', mark);
  await until(() => published.some(({ text }) => text === mark));
  const heard = published;
  published = [];
  return heard.flatMap(({ channel, text }) => (names[channel] === undefined ? [] : `${names[channel]} ${text}`));
}

async function askedOfTemporal(turn: TestTurn): Promise<Effects['run']> {
  const events = await turn.events().catch(() => []);
  const started = events[0]?.workflowExecutionStartedEventAttributes;
  if (started == null) return null;
  const asked = events.flatMap((event) =>
    event.workflowExecutionStartedEventAttributes != null
      ? 'start'
      : event.workflowExecutionCancelRequestedEventAttributes != null
        ? 'cancel'
        : [],
  );
  return { queue: started.taskQueue?.name?.slice(stack.taskQueuePrefix.length) ?? '', asked };
}

/** What `schedules check` says of this person. */
async function faultsOf({ person }: Subject): Promise<string[]> {
  const { database } = stack.db;
  const { differences } = await compareSchedules({ database, planner: stack.planner });
  return differences.flatMap(({ userId, kind, fault }) => (userId === person.userId ? `${kind} ${fault}` : []));
}
