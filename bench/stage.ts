import { chmodSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { openDatabase } from '../db/database.ts';
import { grantTokens } from '../db/grants.ts';
import { createUser } from '../db/users.ts';
import { readConfig } from '../platform/config.ts';
import { NODE_FLAGS, startApp } from '../scripts/app.ts';
import { freePort } from '../scripts/services/port.ts';
import { readServices, Registry } from '../scripts/services/registry.ts';
import { launch, type Ground, type Service } from '../scripts/services/service.ts';
import { startStack } from '../scripts/stack.ts';
import { bare, completions, turnkeeper, type Contender, type Person } from './contenders.ts';

/** Everything that a bench measures, running as `npm start` runs it: the same processes, flags and durable settings. */
export interface Stage {
  readonly contenders: { readonly turnkeeper: Contender; readonly bare: Contender; readonly direct: Contender };
  readonly people: readonly Person[];
  /** First process of each, by name. */
  readonly processes: ReadonlyMap<string, number>;
  /** When the model received each question since the last call, in milliseconds of the machine's monotonic clock. */
  received(): Promise<ReadonlyMap<string, number>>;
  close(): Promise<void>;
}

/** So many that no account waits for another turn of its own, and none meets its limit of 600 sends a minute. */
const PEOPLE = 64;
const TOKENS = 1_000_000_000;

/** @param stopping ends it early. Data lies below `.turnkeeper/`, on the disk that `npm start` would use, and goes with the bench. */
export async function openStage(stopping: AbortSignal, { profileDir }: { profileDir?: string | undefined } = {}): Promise<Stage> {
  const parent = join(import.meta.dirname, '..', '.turnkeeper');
  mkdirSync(parent, { recursive: true });
  const dataDir = mkdtempSync(join(parent, 'bench-'));
  chmodSync(dataDir, 0o711);
  const closers: (() => Promise<void> | void)[] = [() => rmSync(dataDir, { recursive: true, force: true })];
  const close = async () => {
    for (const closer of closers.splice(0).reverse()) await closer();
  };
  try {
    const registry = await Registry.claim(dataDir);
    closers.push(() => registry.release());
    const ground: Ground = { dataDir: registry.dataDir, registry, throwAway: true, durable: true, stopping };
    const model = await startFakeModel(ground);
    closers.push(() => model.stop());
    const ours = { OPENAI_BASE_URL: model.url, OPENAI_API_KEY: 'bench', TURNKEEPER_EMBEDDED: 'true', DATA_DIR: ground.dataDir };
    const config = readConfig(ours);
    const stack = await startStack(config, ground);
    closers.push(() => stack.stop());
    const appPort = await freePort();
    const app = await startApp(ground, {
      url: `http://127.0.0.1:${appPort}`, port: appPort, variables: { ...stack.variables, ...ours, PORT: String(appPort) }, output: 'file',
      graceSeconds: config.worker.shutdownGraceSeconds, nodeFlags: profileDir === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${profileDir}`],
    });
    closers.push(() => app.stop());
    const handler = await startBare(ground, { ...stack.variables, ...ours });
    closers.push(() => handler.stop());
    const processes = new Map((readServices(ground.dataDir)?.services ?? []).map(({ name, pid }) => [name, pid]));
    return {
      contenders: {
        turnkeeper: turnkeeper(app.url, ['app', 'postgresql', 'redis', 'temporal']),
        bare: bare(handler.url, ['bare', 'postgresql']),
        direct: completions('direct', model.url, { key: 'bench' }),
      },
      people: await createPeople(stack.urls.postgres),
      processes,
      received: () => readReceived(model.url),
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

async function startFakeModel(ground: Ground): Promise<Service> {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}/v1`;
  return launch(ground, {
    name: 'model', url, port, said: 'the fake model', file: process.execPath, cwd: process.cwd(),
    args: ['--disable-warning=ExperimentalWarning', 'test/fake-model/main.ts', '--port', String(port)],
    isReady: async () => (await fetch(`${url}/models`)).ok, withinMs: 30_000,
  });
}

async function startBare(ground: Ground, variables: Record<string, string>): Promise<Service> {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  return launch(ground, {
    name: 'bare', url, port, said: 'the bare handler', file: process.execPath, cwd: process.cwd(), args: [...NODE_FLAGS, 'bench/bare.ts'],
    env: { ...variables, PORT: String(port) }, isReady: async () => (await fetch(url)).ok, withinMs: 30_000,
  });
}

async function createPeople(url: string): Promise<Person[]> {
  const database = await openDatabase({ url, poolMax: 4 });
  try {
    return await Promise.all(Array.from({ length: PEOPLE }, async (_, i) => {
      const { userId, token } = await createUser(database, { email: null, role: 'user' });
      await grantTokens(database, { userId, tokens: TOKENS, reason: 'bench', key: `bench-${i}` });
      return { token };
    }));
  } finally {
    await database.close();
  }
}

async function readReceived(modelUrl: string): Promise<ReadonlyMap<string, number>> {
  const response = await fetch(new URL('/received', modelUrl));
  const received = await response.json() as { question: string; receivedAt: number }[];
  return new Map(received.map(({ question, receivedAt }) => [question, receivedAt]));
}
