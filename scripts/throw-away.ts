import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findPgBouncer } from './services/pgbouncer.ts';
import { startPostgres } from './services/postgres/postgres.ts';
import { startRedis } from './services/redis.ts';
import { Registry } from './services/registry.ts';
import { say } from './services/say.ts';
import type { ServiceContext } from './services/service.ts';
import { startTemporal } from './services/temporal/temporal.ts';
import { Parts } from './stack.ts';

/** Services for tests, in a directory of their own; `close` removes both. */
export class ThrowAway {
  readonly dataDir: string;
  readonly #parts: Parts;

  private constructor(context: ServiceContext) {
    this.dataDir = context.dataDir;
    this.#parts = new Parts(context);
  }

  static async open(stopping: AbortSignal): Promise<ThrowAway> {
    const dataDir = mkdtempSync(join(tmpdir(), 'turnkeeper-test-'));
    // PostgreSQL's user must be able to pass through to its own folder.
    chmodSync(dataDir, 0o711);
    return new ThrowAway({
      dataDir,
      registry: await Registry.claim(dataDir),
      throwAway: true,
      durable: false,
      stopping,
    });
  }

  /** @returns the variables by which tests find them. */
  async start(): Promise<Record<string, string>> {
    const began = performance.now();
    const [postgres, redis, temporal, pgbouncer] = await this.#parts.together((on) => [
      this.#parts.start(startPostgres(on, undefined)),
      this.#parts.start(startRedis(on, undefined)),
      this.#parts.start(startTemporal(on, { address: undefined, namespace: 'default', uiUrl: undefined })),
      findPgBouncer(on.stopping),
    ]);
    say(`services ready after ${((performance.now() - began) / 1_000).toFixed(1)} s`);
    return {
      TEST_DATABASE_URL: postgres.url,
      TEST_PGBOUNCER: pgbouncer,
      TEST_REDIS_URL: redis.url,
      TEST_TEMPORAL_ADDRESS: temporal.url,
      TEST_TEMPORAL_UI_URL: temporal.uiUrl ?? '',
    };
  }

  /** Of the services that run, by their names. */
  pids(): Record<string, number> {
    return Object.fromEntries(this.#parts.started.flatMap(({ name, pid }) => (pid === null ? [] : [[name, pid]])));
  }

  async close(): Promise<void> {
    await this.#parts.stop();
    rmSync(this.dataDir, { recursive: true, force: true });
  }
}
