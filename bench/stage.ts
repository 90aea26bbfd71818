import { chmodSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { openDatabase } from '../db/database.ts';
import { grantTokens } from '../db/money/grants.ts';
import { createUser } from '../db/people/users.ts';
import { SetupError } from '../domain/setup-error.ts';
import { readConfig } from '../platform/config/config.ts';
import { NODE_FLAGS } from '../scripts/app.ts';
import { freePort } from '../scripts/services/port.ts';
import { readServices, Registry } from '../scripts/services/registry.ts';
import { say } from '../scripts/services/say.ts';
import { launch, type ServiceContext, type Service } from '../scripts/services/service.ts';
import { startStack } from '../scripts/stack.ts';
import { bare, completions, turnkeeper, type Contender, type Person } from './contenders.ts';
import { LAYOUTS, type Layout } from './layouts.ts';
import { startLitellm } from './litellm/litellm.ts';

/** Everything that a bench measures, run as `npm start` runs it: the same processes, flags and durable settings. */
export interface Stage {
  readonly contenders: Readonly<Record<string, Contender>>;
  readonly people: readonly Person[];
  readonly postgresUrl: string;
  readonly temporalUrl: string;
  /** The addresses of the program's API. */
  readonly urls: readonly string[];
  /** The first process of each service, by its name. */
  readonly processes: ReadonlyMap<string, number>;
  /** The names of the processes that run the program. */
  readonly apps: readonly string[];
  /** When the model received each question since the last call, in milliseconds of the machine's monotonic clock. */
  received(): Promise<ReadonlyMap<string, number>>;
  close(): Promise<void>;
}

export interface StageOptions {
  readonly profileDir?: string | undefined;
  readonly layout: Layout;
  /** Node's flags for the app, after its own: the last one counts. */
  readonly nodeFlags?: readonly string[] | undefined;
  /** Gateways to compare with; they ask the fake model. */
  readonly gateways?:
    | readonly { readonly name: string; readonly url: string; readonly key: string; readonly model: string }[]
    | undefined;
  /** Measures our OpenAI door as well, and LiteLLM beside it. */
  readonly door?: boolean | undefined;
  /** The fake model's port; any free one when it is left out. */
  readonly modelPort?: number | undefined;
  /** The address of a Temporal that somebody else runs, such as one on PostgreSQL. */
  readonly temporal?: string | undefined;
  /** The folder of the built web app, when it is to be served too. */
  readonly webDir?: string | undefined;
  /** Further variables of the service. */
  readonly settings?: Readonly<Record<string, string>> | undefined;
  /**
   * Processes that were started elsewhere and whose CPU counts, by name. Those named like a gateway, or with its name
   * and `-…`, count as the gateway's, all others as Turnkeeper's.
   */
  readonly pids: ReadonlyMap<string, number>;
}

/** Enough people that no account waits for another turn of its own or reaches its limit of 600 sends a minute. */
const PEOPLE = 64;
const TOKENS = 1_000_000_000;

/**
 * Data lies below `.turnkeeper/`, on the disk that `npm start` would use, and is deleted when the bench ends.
 * @param stopping ends the start early.
 */
export async function openStage(
  stopping: AbortSignal,
  {
    profileDir,
    layout,
    nodeFlags = [],
    gateways = [],
    door,
    modelPort,
    temporal,
    webDir,
    pids,
    settings,
  }: StageOptions,
): Promise<Stage> {
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
    const context: ServiceContext = { dataDir: registry.dataDir, registry, throwAway: true, durable: true, stopping };
    const model = await startFakeModel(context, modelPort ?? (await freePort()));
    closers.push(() => model.stop());
    const ours = {
      OPENAI_BASE_URL: model.url,
      OPENAI_API_KEY: 'bench',
      TURNKEEPER_EMBEDDED: 'true',
      DATA_DIR: context.dataDir,
      ...(temporal === undefined ? {} : { TEMPORAL_ADDRESS: temporal }),
      ...settings,
    };
    const config = readConfig(ours);
    const stack = await startStack(config, context);
    closers.push(() => stack.stop());
    const variables = { ...stack.variables, ...ours, ...(webDir === undefined ? {} : { WEB_DIR: webDir }) };
    const profiling = profileDir === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${profileDir}`];
    const program = await LAYOUTS[layout](context, { config, variables, nodeFlags: [...nodeFlags, ...profiling] });
    closers.push(async () => {
      await Promise.all(program.services.map((service) => service.stop()));
    });
    const handler = await startBare(context, variables);
    closers.push(() => handler.stop());
    const apps = program.services.map(({ name }) => name);
    const beside = door === true ? await startBeside(context, model.url) : [];
    closers.push(async () => void (await Promise.all(beside.map((service) => service.stop()))));
    const ofGateway = new Map(
      gateways.map(({ name }) => [
        name,
        [...pids.keys()].filter((process) => process === name || process.startsWith(`${name}-`)),
      ]),
    );
    const others = [...pids.keys()].filter((process) => ![...ofGateway.values()].flat().includes(process));
    const processes = [...new Set([...apps, 'postgresql', 'redis', 'temporal', ...others])];
    return {
      apps,
      postgresUrl: stack.urls.postgres,
      temporalUrl: stack.urls.temporal,
      urls: program.urls,
      contenders: {
        turnkeeper: turnkeeper(program.urls, processes),
        ...(door === true
          ? { door: completions('door', `${program.urls[0] ?? ''}/v1`, { key: '{token}', processes }) }
          : {}),
        ...Object.fromEntries(
          beside.map(({ name, url }) => [name, completions(name, url, { key: 'bench', processes: [name] })]),
        ),
        bare: bare(handler.url, ['bare', 'postgresql']),
        ...Object.fromEntries(
          gateways.map(({ name, url, key, model: called }) => [
            name,
            completions(name, url, { key, model: called, processes: ofGateway.get(name) ?? [] }),
          ]),
        ),
        direct: completions('direct', model.url, { key: 'bench' }),
      },
      people: await createPeople(stack.urls.postgres),
      processes: new Map([
        ...(readServices(context.dataDir)?.services ?? []).map(({ name, pid }) => [name, pid] as const),
        ...pids,
      ]),
      received: () => readReceived(model.url),
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

async function startFakeModel(context: ServiceContext, port: number): Promise<Service> {
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
    withinMs: 30_000,
  });
}

async function startBare(context: ServiceContext, variables: Record<string, string>): Promise<Service> {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  return launch(context, {
    name: 'bare',
    url,
    port,
    label: 'the bare handler',
    file: process.execPath,
    cwd: process.cwd(),
    args: [...NODE_FLAGS, 'bench/bare.ts'],
    env: { ...variables, PORT: String(port) },
    isReady: async () => (await fetch(url)).ok,
    withinMs: 30_000,
  });
}

/** What cannot be had here is said, and the others are measured without it. */
async function startBeside(context: ServiceContext, modelUrl: string): Promise<Service[]> {
  try {
    return [await startLitellm(context, modelUrl)];
  } catch (error) {
    if (!(error instanceof SetupError)) throw error;
    say(`WITHOUT LiteLLM: ${error.message}`);
    return [];
  }
}

async function createPeople(url: string): Promise<Person[]> {
  const database = await openDatabase({ url, poolMax: 4 });
  try {
    return await Promise.all(
      Array.from({ length: PEOPLE }, async (_, number) => {
        const { userId, token } = await createUser(database, { email: null, role: 'user' });
        await grantTokens(database, { userId, tokens: TOKENS, reason: 'bench', key: `bench-${number}` });
        return { number, token };
      }),
    );
  } finally {
    await database.close();
  }
}

async function readReceived(modelUrl: string): Promise<ReadonlyMap<string, number>> {
  const response = await fetch(new URL('/received', modelUrl));
  const received = (await response.json()) as { question: string; receivedAt: number }[];
  return new Map(received.map(({ question, receivedAt }) => [question, receivedAt]));
}
