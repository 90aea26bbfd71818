import type { Logger } from '../../platform/telemetry/log.ts';
import { installRuntime } from '../../worker/main.ts';

let readSdk: (() => Promise<string>) | null | undefined;
let current: Logger;

/**
 * Temporal's runtime can be installed once a process, which runs many files: what it logs goes to the log given last.
 * @returns a function that reads its figures.
 */
export function useRuntime(log: Logger): (() => Promise<string>) | null {
  current = log;
  const forward = new Proxy(log, { get: (_, name) => Reflect.get(current, name) as unknown });
  return (readSdk ??= installRuntime(forward, { metrics: true }));
}
