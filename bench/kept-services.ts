import { chmodSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { Registry } from '../scripts/services/registry.ts';
import type { ServiceContext } from '../scripts/services/service.ts';
import { Parts } from '../scripts/stack.ts';

/**
 * A bench's own services, with the durable settings of `npm start`. Their data lies below `.turnkeeper/` and stays for
 * the next run.
 */
export interface KeptServices {
  readonly context: ServiceContext;
  readonly parts: Parts;
  close(): Promise<void>;
}

export async function openKeptServices(name: string, stopping: AbortSignal): Promise<KeptServices> {
  const dataDir = join(import.meta.dirname, '..', '.turnkeeper', name);
  mkdirSync(dataDir, { recursive: true });
  chmodSync(dataDir, 0o711);
  const registry = await Registry.claim(dataDir);
  const context: ServiceContext = { dataDir: registry.dataDir, registry, throwAway: false, durable: true, stopping };
  const parts = new Parts(context);
  return {
    context,
    parts,
    async close() {
      registry.stopping();
      await parts.stop();
      registry.release();
    },
  };
}
