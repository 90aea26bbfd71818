import { findLiveSecrets } from '../../db/people/key-holders.ts';
import { isUnavailable } from '../../db/driver/availability.ts';
import type { Database } from '../../db/database.ts';
import { describeError } from '../../platform/telemetry/describe-error.ts';
import type { Logger } from '../../platform/telemetry/log.ts';

/** With the two below, a stream ends within 3 s of its key. */
const LOOK_EVERY_MS = 2_000;
/** Most requests are over before, and need no look. */
const YOUNG_MS = 1_000;

/** Ends requests that outlive the secret with which they came: its key was revoked or rotated, or its time is over. */
export interface KeyWatch {
  /** @returns a signal that aborts when the secret is good no more; it is looked at until `over` is called. */
  enter(secretHash: string): { readonly ended: AbortSignal; over(): void };
}

/**
 * A key may be revoked by a command, which talks to nobody but PostgreSQL. So the keys of open requests are looked up
 * there, all of them in one query, and none while nothing is open for long. While PostgreSQL is away nobody's key ends.
 * @param over aborts when nobody is answered any more.
 */
export function createKeyWatch({ database, log }: { database: Database; log: Logger }, over: AbortSignal): KeyWatch {
  const open = new Set<{ readonly secretHash: string; readonly since: number; readonly end: AbortController }>();
  let looking = false;

  async function look(): Promise<void> {
    const old = [...open].filter(({ since }) => performance.now() - since >= YOUNG_MS);
    if (looking || old.length === 0) return;
    looking = true;
    try {
      const live = await findLiveSecrets(database.sql, [...new Set(old.map(({ secretHash }) => secretHash))]);
      for (const request of old) if (!live.has(request.secretHash)) request.end.abort();
    } catch (error) {
      if (!isUnavailable(error))
        log.error({ err: describeError(error) }, 'the keys of open requests were not looked up');
    } finally {
      looking = false;
    }
  }

  const timer = setInterval(() => void look(), LOOK_EVERY_MS).unref();
  over.addEventListener('abort', () => clearInterval(timer), { once: true });
  return {
    enter(secretHash) {
      const request = { secretHash, since: performance.now(), end: new AbortController() };
      open.add(request);
      return { ended: request.end.signal, over: () => void open.delete(request) };
    },
  };
}
