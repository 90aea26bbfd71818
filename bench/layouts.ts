import type { Config } from '../platform/config/config.ts';
import { startApp, type AppSettings } from '../scripts/app.ts';
import { freePort } from '../scripts/services/port.ts';
import type { ServiceContext, Service } from '../scripts/services/service.ts';

/** The running processes of the program, and the addresses of its API. */
export interface RunningLayout {
  readonly urls: readonly string[];
  readonly services: readonly Service[];
}

export interface ProgramSettings {
  readonly config: Config;
  readonly variables: Record<string, string>;
  readonly nodeFlags: readonly string[];
}

/**
 * `one`: as `npm start` runs it, which the targets are for. `three`: whole processes beside each other. `split`: two
 * API processes and two workers, so no workflow start is eager.
 */
export const LAYOUTS = {
  one: async (context, settings) => {
    const app = await startRole(context, settings, 'app', {});
    return { urls: [app.url], services: [app] };
  },
  three: async (context, settings) => {
    const services: Service[] = [];
    for (const name of ['app-1', 'app-2', 'app-3']) services.push(await startRole(context, settings, name, {}));
    return { urls: services.map(({ url }) => url), services };
  },
  split: async (context, settings) => {
    const services: Service[] = [];
    const urls: string[] = [];
    for (const name of ['worker-1', 'worker-2', 'api-1', 'api-2']) {
      const serves = name.startsWith('api');
      const service = await startRole(context, settings, name, { TURNKEEPER_ROLE: serves ? 'api' : 'worker' });
      services.push(service);
      if (serves) urls.push(service.url);
    }
    return { urls, services };
  },
} as const satisfies Record<string, (context: ServiceContext, ready: ProgramSettings) => Promise<RunningLayout>>;

export type Layout = keyof typeof LAYOUTS;

async function startRole(
  context: ServiceContext,
  { config, variables, nodeFlags }: ProgramSettings,
  name: string,
  more: Record<string, string>,
): Promise<Service> {
  const port = await freePort();
  const isWorker = more['TURNKEEPER_ROLE'] === 'worker';
  const settings: AppSettings = {
    name,
    url: `http://127.0.0.1:${port}`,
    port,
    output: 'file',
    nodeFlags,
    graceSeconds: config.worker.shutdownGraceSeconds,
    variables: { ...variables, ...more, ...(isWorker ? { METRICS_PORT: String(port) } : { PORT: String(port) }) },
    ...(isWorker ? { readyPath: '/metrics' } : {}),
  };
  return startApp(context, settings);
}
