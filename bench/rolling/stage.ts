import { chmodSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { readConfig } from '../../platform/config/config.ts';
import { startApp } from '../../scripts/app.ts';
import { freePort } from '../../scripts/services/port.ts';
import { Registry } from '../../scripts/services/registry.ts';
import type { Service, ServiceContext } from '../../scripts/services/service.ts';
import { startStack } from '../../scripts/stack.ts';
import { startModel } from '../chaos/stage.ts';
import { startBalancer, type Balancer } from './balancer.ts';

export const PROCESSES = 3;

/** Three whole processes behind haproxy, on services of their own. */
export interface RollingStage {
  readonly balancer: Balancer;
  readonly databaseUrl: string;
  readonly graceSeconds: number;
  /** By number, from 1 on. What is restarted takes the place of what was there. */
  readonly apps: Map<number, Service>;
  close(): Promise<void>;
}

/** Data lies below `.turnkeeper/`, with the durable settings of `npm start`, and is deleted at the end. */
export async function openRollingStage(stopping: AbortSignal, graceSeconds: number): Promise<RollingStage> {
  const parent = join(import.meta.dirname, '..', '..', '.turnkeeper');
  mkdirSync(parent, { recursive: true });
  const dataDir = mkdtempSync(join(parent, 'rolling-'));
  chmodSync(dataDir, 0o711);
  const closers: (() => Promise<void> | void)[] = [() => rmSync(dataDir, { recursive: true, force: true })];
  const close = async () => {
    for (const closer of closers.splice(0).reverse()) await closer();
  };
  try {
    const registry = await Registry.claim(dataDir);
    closers.push(() => registry.release());
    const context: ServiceContext = { dataDir: registry.dataDir, registry, throwAway: true, durable: true, stopping };
    const model = await startModel(context);
    closers.push(() => model.stop());
    const ours = {
      OPENAI_BASE_URL: model.url,
      OPENAI_API_KEY: 'rolling',
      DATA_DIR: context.dataDir,
      SENDS_PER_MINUTE: '100000',
      READS_PER_SECOND: '100000',
      SHUTDOWN_GRACE_SECONDS: String(graceSeconds),
      LOG_LEVEL: 'warn',
    };
    const stack = await startStack(readConfig(ours), context);
    closers.push(() => stack.stop());
    const apps = new Map<number, Service>();
    closers.push(async () => {
      await Promise.all([...apps.values()].map((app) => app.stop()));
    });
    for (let nth = 1; nth <= PROCESSES; nth += 1)
      apps.set(nth, await startOne(context, { ...stack.variables, ...ours }, { nth, graceSeconds }));
    const balancer = await startBalancer(
      context,
      [...apps.values()].map(({ url }) => url),
    );
    closers.push(() => balancer.service.stop());
    return { balancer, apps, databaseUrl: stack.urls.postgres, graceSeconds, close };
  } catch (error) {
    await close();
    throw error;
  }
}

async function startOne(
  context: ServiceContext,
  variables: Record<string, string>,
  { nth, graceSeconds }: { nth: number; graceSeconds: number },
): Promise<Service> {
  const port = await freePort();
  return startApp(context, {
    name: `app-${nth}`,
    url: `http://127.0.0.1:${port}`,
    port,
    output: 'file',
    graceSeconds,
    variables: { ...variables, PORT: String(port), HOST: '127.0.0.1' },
  });
}
