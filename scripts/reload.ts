import { watch } from 'node:fs';
import { join, sep } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { SetupError } from '../domain/setup-error.ts';
import { startApp, type AppSettings } from './app.ts';
import { wholeEnvironment } from './services/environment.ts';
import { runToEnd } from './services/program.ts';
import { say } from './services/say.ts';
import type { ServiceContext, Service } from './services/service.ts';

/** The sources of the running program. The workflows' bundle is among them, and Node's own --watch does not see it. */
export const WATCHED: ReadonlySet<string> = new Set([
  'main.ts',
  'service.ts',
  'activities',
  'api',
  'db',
  'domain',
  'migrations',
  'operations',
  'platform',
  'worker',
  'workflows',
]);
/** The wait for further changes: editors write a file in several steps, and git writes many files at once. */
const QUIET_MS = 200;

/**
 * `npm run dev`: restarts the app after every change of a source file, until `stopping`; the services stay. When the
 * app does not come up, the next change starts it again.
 */
export async function runReloading(
  context: ServiceContext,
  settings: AppSettings,
  onServing: () => void,
): Promise<void> {
  const changes = watchSources(process.cwd());
  context.stopping.addEventListener('abort', () => changes.close());
  let serving = false;
  while (!context.stopping.aborted) {
    const app = await startOrSay(context, settings);
    if (app !== null && !serving) onServing();
    serving ||= app !== null;
    let replaced = false;
    void app?.died.then(() => {
      if (!replaced) say('the app ended by itself; waiting for a change');
    });
    const changed = await changes.next();
    if (changed.length > 0) say(`changed: ${changed.join(', ')}`);
    replaced = true;
    await app?.stop();
    if (!context.stopping.aborted && changed.some((file) => file.startsWith(`migrations${sep}`)))
      await migrate(settings);
  }
}

async function startOrSay(context: ServiceContext, settings: AppSettings): Promise<Service | null> {
  try {
    return await startApp(context, settings);
  } catch (error) {
    if (!(error instanceof SetupError)) throw error;
    say(`${error.message}; waiting for a change`);
    return null;
  }
}

/** Migrates in a process of its own, because this process has loaded the migrations as they were before the change. */
async function migrate(settings: AppSettings): Promise<void> {
  const { output } = await runToEnd(
    process.execPath,
    ['--disable-warning=ExperimentalWarning', 'cli/main.ts', 'migrate'],
    { env: { ...wholeEnvironment(), ...settings.variables }, withinMs: 600_000 },
  );
  say(output.trim());
}

interface Changes {
  /**
   * Resolves to the files that changed since the last call, once nothing has changed for a moment; to none after
   * `close`.
   */
  next(): Promise<string[]>;
  close(): void;
}

function watchSources(root: string): Changes {
  const changed = new Set<string>();
  let wake: () => void = () => {};
  const closed = new AbortController();
  const watchers = [...WATCHED].map((name) =>
    watch(join(root, name), { recursive: !name.includes('.') }, (_event, file) => {
      const path = name.includes('.') || file === null ? name : join(name, file);
      if (!path.endsWith('.ts')) return;
      changed.add(path);
      wake();
    }),
  );
  return {
    async next() {
      while (changed.size === 0 && !closed.signal.aborted)
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      for (let size = -1; size !== changed.size && !closed.signal.aborted;) {
        size = changed.size;
        await sleep(QUIET_MS);
      }
      const files = [...changed];
      changed.clear();
      return files;
    },
    close() {
      for (const watcher of watchers) watcher.close();
      closed.abort();
      wake();
    },
  };
}
