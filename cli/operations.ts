import type { OperationDeps, Warnings } from '../operations/deps.ts';
import type { Config } from '../platform/config/config.ts';
import type { Temporal } from '../platform/temporal/connection.ts';
import { findRunningStack, openTemporal, withDatabase } from './target.ts';

/**
 * Gives a command what its writes need, as the API has it. Temporal is connected when it is first used: most grants
 * have nothing to arm, and none waits for a Temporal that is away.
 * @param options.reachFirst connects Temporal before `work` writes anything. @throws as `openTemporal`.
 */
export async function withOperations<T>(
  config: Config,
  work: (deps: OperationDeps) => Promise<T>,
  { reachFirst = false }: { reachFirst?: boolean } = {},
): Promise<T> {
  const [{ createPlanner }, { createRedrives }, { createTurnRuns }] = await Promise.all([
    import('../platform/temporal/planner.ts'),
    import('../platform/temporal/redrives.ts'),
    import('../platform/temporal/turn-runs.ts'),
  ]);
  const { taskQueuePrefix } = config.temporal;
  let opened: Promise<Temporal> | null = null;
  const temporal = () => (opened ??= openTemporal(config));
  const runs = async () => createTurnRuns(await temporal(), { taskQueuePrefix, eager: false });
  const redrives = async () => createRedrives(await temporal(), { taskQueuePrefix });
  return withDatabase(config, async (database) => {
    const followers = await openFollowers(config);
    try {
      if (reachFirst) await temporal();
      return await work({
        database,
        redis: followers.redis,
        feed: followers.feed,
        runs: {
          start: async (turn, isTaken) => (await runs()).start(turn, isTaken),
          cancel: async (turn) => (await runs()).cancel(turn),
        },
        redrives: {
          start: async (redrive) => (await redrives()).start(redrive),
          signal: async (redrive, step) => (await redrives()).signal(redrive, step),
        },
        planner: {
          arm: async (kind, account) =>
            createPlanner((await temporal()).client, { taskQueuePrefix }).arm(kind, account),
        },
        // A command connects first, which gives up after 10 s by itself.
        armWithinMs: 15_000,
        log: STANDARD_ERROR,
      });
    } finally {
      await opened?.then(
        ({ close }) => close(),
        () => {},
      );
      await followers.close();
    }
  });
}

const STANDARD_ERROR: Warnings = {
  warn({ reason }, message) {
    process.stderr.write(`turnkeeper: ${message}${typeof reason === 'string' ? ` (${reason})` : ''}\n`);
  },
};

type Followers = Pick<OperationDeps, 'redis' | 'feed'> & { close(): Promise<void> };

/** Readers who follow hear of a write through Redis. Without it they see the write at their next look. */
async function openFollowers(config: Config): Promise<Followers> {
  const url = config.redis.url ?? findRunningStack(config)?.services.find(({ name }) => name === 'redis')?.url;
  if (url === undefined) return NOBODY;
  const [{ openRedis }, { createTurnFeed }] = await Promise.all([
    import('../platform/redis.ts'),
    import('../platform/streams/turn-feed.ts'),
  ]);
  const redis = await openRedis(url);
  const feed = createTurnFeed(redis);
  return {
    redis,
    feed,
    // Closing waits for the answers to what was published.
    close: async () => {
      feed.close();
      await redis.close();
    },
  };
}

const NOBODY: Followers = {
  redis: { ask: () => Promise.reject(new Error('there is no Redis')) },
  feed: { announce: () => {} },
  close: () => Promise.resolve(),
};
