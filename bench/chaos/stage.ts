import { chmodSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { openDatabase } from '../../db/database.ts';
import { createUser } from '../../db/people/users.ts';
import { readConfig } from '../../platform/config/config.ts';
import { startApp } from '../../scripts/app.ts';
import { freePort } from '../../scripts/services/port.ts';
import { Registry } from '../../scripts/services/registry.ts';
import { launch, type Service, type ServiceContext } from '../../scripts/services/service.ts';
import { startStack, type Stack } from '../../scripts/stack.ts';
import { Victim, type VictimKind } from './victims.ts';

/** Whether API and worker are one process, or one each. */
export type ChaosLayout = 'whole' | 'apart';

/** The real services and the program's processes, each to be killed and started again. */
export interface ChaosStage {
  readonly urls: readonly string[];
  readonly databaseUrl: string;
  readonly temporalAddress: string;
  readonly victims: Readonly<Record<VictimKind, readonly Victim[]>>;
  close(): Promise<void>;
}

/**
 * Data lies below `.turnkeeper/`, with the durable settings of `npm start`, and is deleted at the end.
 * @param beside starts what the program needs besides, which is not killed, and says by which variables it is found.
 */
export async function openChaosStage(
  stopping: AbortSignal,
  program: { readonly processes: number; readonly layout: ChaosLayout },
  beside: (context: ServiceContext) => Promise<{ service: Service; variables: Record<string, string> } | null> = () =>
    Promise.resolve(null),
): Promise<ChaosStage> {
  const parent = join(import.meta.dirname, '..', '..', '.turnkeeper');
  mkdirSync(parent, { recursive: true });
  const dataDir = mkdtempSync(join(parent, 'chaos-'));
  chmodSync(dataDir, 0o711);
  const closers: (() => Promise<void> | void)[] = [() => rmSync(dataDir, { recursive: true, force: true })];
  const close = async () => {
    for (const closer of closers.splice(0).reverse()) await closer();
  };
  try {
    const registry = await Registry.claim(dataDir);
    closers.push(() => registry.release());
    // PostgreSQL must not lose a commit when it is killed.
    const context: ServiceContext = { dataDir: registry.dataDir, registry, throwAway: true, durable: true, stopping };
    const model = await startModel(context);
    closers.push(() => model.stop());
    const added = await beside(context);
    if (added !== null) closers.push(() => added.service.stop());
    const ours = {
      OPENAI_BASE_URL: model.url,
      OPENAI_API_KEY: 'chaos',
      DATA_DIR: context.dataDir,
      SENDS_PER_MINUTE: '100000',
      READS_PER_SECOND: '100000',
      RECONCILE_EVERY_SECONDS: '10',
      RECONCILE_QUIET_SECONDS: '5',
      LOG_LEVEL: 'warn',
      ...added?.variables,
    };
    const stack = await startStack(readConfig(ours), context);
    const services = stack.services.map((service) => new Victim(service));
    closers.push(() => stopAll(services));
    const { apps, urls } = await startApps(context, { ...stack.variables, ...ours }, program);
    closers.push(() => stopAll(apps));
    return { urls, close, ...addressesOf(stack), victims: { app: apps, ...byName(services) } };
  } catch (error) {
    await close();
    throw error;
  }
}

function addressesOf({ urls }: Stack) {
  return { databaseUrl: urls.postgres, temporalAddress: urls.temporal };
}

function byName(services: readonly Victim[]) {
  const named = (name: string) => services.filter((service) => service.name === name);
  return { postgresql: named('postgresql'), temporal: named('temporal'), redis: named('redis') };
}

async function stopAll(victims: readonly Victim[]): Promise<void> {
  await Promise.all(victims.map((victim) => victim.stop()));
}

const ROLES = { whole: ['all'], apart: ['worker', 'api'] } as const satisfies Record<ChaosLayout, readonly string[]>;

async function startApps(
  context: ServiceContext,
  variables: Record<string, string>,
  { processes, layout }: { readonly processes: number; readonly layout: ChaosLayout },
) {
  const apps: Victim[] = [];
  const urls: string[] = [];
  for (let nth = 1; nth <= processes; nth += 1) {
    for (const role of ROLES[layout]) {
      const app = await startRole(context, { ...variables, TURNKEEPER_ROLE: role }, `${role}-${nth}`);
      apps.push(new Victim(app));
      if (role !== 'worker') urls.push(app.url);
    }
  }
  return { apps, urls };
}

async function startRole(context: ServiceContext, variables: Record<string, string>, name: string): Promise<Service> {
  const port = await freePort();
  const isWorker = variables['TURNKEEPER_ROLE'] === 'worker';
  return startApp(context, {
    name,
    url: `http://127.0.0.1:${port}`,
    port,
    output: 'file',
    graceSeconds: 2,
    variables: { ...variables, ...(isWorker ? { METRICS_PORT: String(port) } : { PORT: String(port) }) },
    ...(isWorker ? { readyPath: '/metrics' } : {}),
  });
}

/** A provider at its socket. It is not killed: how it fails is in the questions. */
export async function startModel(context: ServiceContext): Promise<Service> {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}/v1`;
  return launch(context, {
    name: 'model',
    url,
    port,
    label: 'the fake model',
    file: process.execPath,
    cwd: process.cwd(),
    args: ['--disable-warning=ExperimentalWarning', 'test/fake-model/main.ts', '--port', String(port)],
    isReady: async () => (await fetch(`${url}/models`)).ok,
    withinMs: 60_000,
  });
}

export interface Keys {
  readonly people: readonly { readonly userId: number; readonly token: string }[];
  readonly admin: string;
}

/** @param allowanceOf gives each person's monthly tokens. */
export async function makePeople(url: string, count: number, allowanceOf: (nth: number) => number): Promise<Keys> {
  const database = await openDatabase({ url, poolMax: 4 });
  try {
    const people = [];
    for (let nth = 0; nth < count; nth += 1) {
      const person = await createUser(database, { email: null, role: 'user' });
      await database.orm.em
        .getConnection()
        .execute('update accounts set monthly_allowance_tokens = ? where user_id = ?', [
          allowanceOf(nth),
          person.userId,
        ]);
      people.push(person);
    }
    const { token } = await createUser(database, { email: null, role: 'admin' });
    return { people, admin: token };
  } finally {
    await database.close();
  }
}
