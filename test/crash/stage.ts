import { randomUUID } from 'node:crypto';
import proto from '@temporalio/proto';
import { createUser } from '../../db/people/users.ts';
import { connectTemporal, type Temporal } from '../../platform/temporal/connection.ts';
import { RECONCILE_SCHEDULE_ID, taskQueues } from '../../workflows/contract/ids.ts';
import { startFakeModel, type FakeModel } from '../fake-model/server.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { lockRows, type RowLock } from '../support/lock.ts';
import { redisUrl, required, personAtUrl, type Person } from '../support/stack.ts';
import { startProgram, type Program } from './program.ts';

/**
 * Services for one test file, and the processes that it starts, ends and kills. The fake model answers in the test's
 * process.
 */
export interface CrashStage {
  readonly model: FakeModel;
  readonly db: TestDatabase;
  readonly temporal: Temporal;
  /** @param variables of this process only, for example another path to a service. */
  start(role: 'api' | 'worker' | 'all', variables?: Readonly<Record<string, string>>): Promise<Program>;
  /** A person whose calls go to the API that was started last. */
  person(role?: 'user' | 'admin'): Promise<Person>;
  lockAccount(person: Person): Promise<RowLock>;
  /** Fires reconcile's schedule now. */
  reconcile(): Promise<void>;
  close(): Promise<void>;
}

export async function openCrashStage(): Promise<CrashStage> {
  const [model, db] = await Promise.all([startFakeModel(), createTestDatabase()]);
  const temporal = await connectTemporal({
    address: required('TEST_TEMPORAL_ADDRESS'),
    namespace: 'default',
    codec: null,
    env: {},
  });
  const prefix = `${randomUUID()}-`;
  const shared = {
    HOST: '127.0.0.1',
    PORT: '0',
    TEST_ROUTES: 'true',
    TASK_QUEUE_PREFIX: prefix,
    DATABASE_URL: db.url,
    REDIS_URL: redisUrl(),
    TEMPORAL_ADDRESS: required('TEST_TEMPORAL_ADDRESS'),
    OPENAI_BASE_URL: model.url,
    OPENAI_API_KEY: 'sk-secret-of-the-test',
    RECONCILE_EVERY_SECONDS: '86400',
    RECONCILE_QUIET_SECONDS: '1',
    SHUTDOWN_GRACE_SECONDS: '2',
  };
  const programs: Program[] = [];
  let api = '';

  /** Whether the process polls both of its queues. */
  async function polls(pid: number): Promise<boolean> {
    const queues = taskQueues(prefix);
    const answers = await Promise.all(
      Object.values(queues).map((name) =>
        temporal.connection.workflowService.describeTaskQueue({
          namespace: temporal.namespace,
          taskQueue: { name },
          taskQueueType: proto.temporal.api.enums.v1.TaskQueueType.TASK_QUEUE_TYPE_ACTIVITY,
        }),
      ),
    );
    return answers.every(({ pollers }) => (pollers ?? []).some(({ identity }) => identity?.startsWith(`${pid}@`)));
  }

  return {
    model,
    db,
    temporal,
    async start(role, variables = {}) {
      const program = await startProgram(role, { ...shared, ...variables }, polls);
      programs.push(program);
      if (role !== 'worker') api = program.url;
      return program;
    },
    async person(role = 'user') {
      const { userId, token } = await createUser(db.database, { email: null, role });
      return personAtUrl(() => api, userId, token);
    },
    lockAccount: (person) =>
      lockRows(db.url, 'select 1 from accounts where user_id = $1', [person.userId], 'no key update'),
    reconcile: () => temporal.client.schedule.getHandle(`${prefix}${RECONCILE_SCHEDULE_ID}`).trigger(),
    async close() {
      await Promise.all(programs.map((program) => program.kill()));
      await temporal.close();
      await model.close();
      await db.close();
    },
  };
}
