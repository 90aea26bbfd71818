import { freePort } from './services/port.ts';
import { launch, type ServiceContext, type Service } from './services/service.ts';

/**
 * Serves the web app from its sources and shows each change at once in the open page. It asks the API at `api`, which
 * may restart meanwhile.
 */
export async function startWebDev(context: ServiceContext, api: string): Promise<Service> {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  return launch(context, {
    name: 'web',
    url,
    port,
    label: 'the web app, reloading',
    cwd: process.cwd(),
    env: { TURNKEEPER_API: api },
    file: process.execPath,
    args: [
      'node_modules/vite/bin/vite.js',
      '--config',
      'web/vite.config.ts',
      '--host',
      '127.0.0.1',
      '--port',
      String(port),
      '--strictPort',
      '--clearScreen',
      'false',
    ],
    isReady: async () =>
      (await fetch(url, { headers: { accept: 'text/html' }, signal: AbortSignal.timeout(2_000) })).ok,
    withinMs: 60_000,
  });
}
