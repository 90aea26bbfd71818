import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { openDatabase } from '../../db/database.ts';
import { migrate } from '../../db/migrate.ts';
import { grantTokens } from '../../db/money/grants.ts';
import { createUser } from '../../db/people/users.ts';
import { NODE_FLAGS } from '../../scripts/app.ts';
import { ThrowAway } from '../../scripts/throw-away.ts';

export interface FuzzStage {
  readonly url: string;
  readonly pid: number;
  /** Bearer tokens, the first one of an admin. */
  readonly keys: readonly string[];
  /** What the program wrote that is no line of its log, or one of an error. */
  readonly complaints: readonly string[];
  readonly ended: () => boolean;
  /** Connections of the program to PostgreSQL. */
  connections(): Promise<number>;
  close(): Promise<void>;
}

/** The real program on services of its own, with a model that answers at once. @param more variables of its own. */
export async function openFuzzStage(
  stopping: AbortSignal,
  more: Readonly<Record<string, string>> = {},
): Promise<FuzzStage> {
  const services = await ThrowAway.open(stopping);
  const closers: (() => Promise<void>)[] = [() => services.close()];
  const close = async () => {
    for (const closer of closers.splice(0).reverse()) await closer();
  };
  try {
    const variables = await services.start();
    const model = await startChild(['test/fake-model/main.ts', '--chunks', '3'], {}, /"url":"([^"]+)"/);
    closers.push(model.close);
    const databaseUrl = variables['TEST_DATABASE_URL'] ?? '';
    await migrate(databaseUrl);
    const database = await openDatabase({ url: databaseUrl, poolMax: 2 });
    closers.push(() => database.close());
    const shops = await openShops(closers);
    const app = await startChild(
      [...NODE_FLAGS, 'main.ts'],
      {
        TURNKEEPER_ROLE: 'all',
        HOST: '127.0.0.1',
        PORT: '0',
        TEST_ROUTES: 'true',
        DATABASE_URL: databaseUrl,
        REDIS_URL: variables['TEST_REDIS_URL'] ?? '',
        TEMPORAL_ADDRESS: variables['TEST_TEMPORAL_ADDRESS'] ?? '',
        OPENAI_BASE_URL: model.found,
        OPENAI_API_KEY: 'fuzz',
        SENDS_PER_MINUTE: '1000000',
        READS_PER_SECOND: '1000000',
        MAX_TURNS_IN_FLIGHT: '50',
        SHUTDOWN_GRACE_SECONDS: '2',
        ...shops,
        ...more,
      },
      /"url":"([^"]+)"/,
    );
    closers.push(app.close);
    const keys: string[] = [];
    for (const role of ['admin', 'user', 'user'] as const) {
      const { userId, token } = await createUser(database, { email: null, role });
      await grantTokens(database, { userId, tokens: 1_000_000_000, reason: 'fuzz', key: 'fuzz' });
      keys.push(token);
    }
    return {
      url: app.found,
      pid: app.pid,
      keys,
      complaints: app.complaints,
      ended: app.ended,
      connections: async () =>
        Number(
          (
            await database
              .em()
              .getConnection()
              .execute<{ count: string }[]>(
                "select count(*) from pg_stat_activity where application_name = 'turnkeeper' and datname = current_database() and pid <> pg_backend_pid()",
              )
          )[0]?.count,
        ),
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

/** Fakes of both payment providers. @returns the variables of a program that sells by them. */
async function openShops(closers: (() => Promise<void>)[]): Promise<Record<string, string>> {
  const urls: string[] = [];
  for (const provider of ['stripe', 'toss']) {
    const fake = await startChild(['test/fake-payments/main.ts', '--provider', provider], {}, /"url":"([^"]+)"/);
    closers.push(fake.close);
    urls.push(fake.found);
  }
  const [stripe = '', toss = ''] = urls;
  const name = { ko: '작은', en: 'Small' };
  return {
    PUBLIC_URL: 'http://127.0.0.1:9',
    PAYMENTS_KEY: Buffer.alloc(32, 7).toString('base64'),
    PACKS: JSON.stringify([{ packId: 'small', name, tokens: 100_000, currency: 'KRW', amount: 4_900 }]),
    STRIPE_API_URL: stripe,
    STRIPE_SECRET_KEY: 'sk_test_canaryOfTheTest',
    STRIPE_WEBHOOK_SECRET: 'whsec_canaryOfTheTest',
    TOSS_API_URL: toss,
    TOSS_SCRIPT_URL: `${toss}/v2/standard`,
    TOSS_SECRET_KEY: 'test_sk_canaryOfTheTest',
    TOSS_CLIENT_KEY: 'test_ck_1',
  };
}

/** pino's levels: 50 is an error, 60 a fatal one. */
const ERROR = 50;

async function startChild(args: readonly string[], env: Record<string, string>, ready: RegExp) {
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { PATH: process.env['PATH'], NODE_COMPILE_CACHE: process.env['NODE_COMPILE_CACHE'], ...env },
  });
  const complaints: string[] = [];
  let [found, ended] = ['', false];
  const exited = once(child, 'exit').then(() => {
    ended = true;
  });
  for (const stream of [child.stdout, child.stderr])
    createInterface(stream).on('line', (line) => {
      found ||= ready.exec(line)?.[1] ?? '';
      if (isComplaint(line)) complaints.push(line.slice(0, 2_000));
    });
  while (found === '') {
    if (ended) throw new Error(`${args.at(-1) ?? ''} ended before it was ready: ${complaints.join('\n')}`);
    await Promise.race([exited, once(child.stdout, 'data')]);
  }
  return {
    found,
    pid: child.pid ?? 0,
    complaints,
    ended: () => ended,
    async close() {
      child.kill('SIGTERM');
      await exited;
    },
  };
}

function isComplaint(line: string): boolean {
  try {
    const entry: unknown = JSON.parse(line);
    return typeof entry === 'object' && entry !== null && 'level' in entry && Number(entry.level) >= ERROR;
  } catch {
    return line.trim() !== '';
  }
}
