import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { onFreePort } from '../port.ts';
import { launch, type Service, type ServiceContext } from '../service.ts';

/** The demo shop: a payment provider on this machine, where nobody pays. */
export async function startShop(context: ServiceContext): Promise<Service> {
  return onFreePort((port) => {
    const url = `http://127.0.0.1:${port}`;
    return launch(context, {
      name: 'shop',
      url,
      port,
      label: 'a DEMO shop, where nobody pays',
      file: process.execPath,
      args: [
        '--disable-warning=ExperimentalWarning',
        fileURLToPath(new URL('demo-shop.ts', import.meta.url)),
        String(port),
        join(context.dataDir, 'shop.json'),
      ],
      isReady: async () => (await fetch(url, { signal: AbortSignal.timeout(1_000) })).status < 500,
      withinMs: 30_000,
    });
  });
}
