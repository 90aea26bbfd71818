import { createClient } from 'redis';
import { ifLate, within } from './deadline.ts';
import type { Logger } from './telemetry/log.ts';
import { NO_TRACING, type Tracing } from './telemetry/span.ts';

/**
 * Two connections, because one that has subscribed is kept for messages: a slow reader of messages never delays a
 * command.
 */
export interface Redis {
  readonly commands: RedisClient;
  readonly subscriber: RedisClient;
  /**
   * Whether both connections answer. False is a degraded service, not a broken one: nothing of value lives in Redis
   * alone.
   */
  isReady(): boolean;
  /**
   * Sends to `commands` and waits `timeoutMs` (500) for the answer. The client's own timeout covers only what was not
   * yet written, so a server that accepts and never answers would hang its callers: use this for everything a person
   * waits for.
   * @throws RedisAway at once while it is away or owes an overdue answer, and after `timeoutMs`; then the outcome is
   *   unknown.
   */
  ask<T>(send: (commands: RedisClient) => Promise<T>, timeoutMs?: number): Promise<T>;
  close(): Promise<void>;
}

export type RedisClient = ReturnType<typeof createConnection>;
type Log = Pick<Logger, 'info' | 'warn'>;

/** Redis does not answer in time. Always survivable: callers fall back to PostgreSQL or to memory. */
export class RedisAway extends Error {
  override readonly name = 'RedisAway';
}

/** How long a boot waits for a Redis that does not refuse and does not answer: it then starts without. */
const BOOT_WAIT_MS = 1_000;
const ASK_TIMEOUT_MS = 500;
const CLOSE_TIMEOUT_MS = 500;

/** Connects in the background and for ever; resolves when both connections answer, or have failed once. */
export async function openRedis(url: string, log?: Log, tracing: Tracing = NO_TRACING): Promise<Redis> {
  const commands = createConnection(url);
  const subscriber = createConnection(url);
  logOutages({ commands, subscriber }, log);
  await within(BOOT_WAIT_MS, Promise.all([connect(commands), connect(subscriber)])).catch(ifLate);

  // Answers that came too late to be waited for. While one is owed, further questions would only queue behind it.
  let overdue = 0;
  const askNow = async <T>(send: (client: RedisClient) => Promise<T>, timeoutMs: number): Promise<T> => {
    if (!commands.isReady || overdue > 0) throw new RedisAway('Redis is away');
    const answer = send(commands);
    return within(timeoutMs, answer).catch((error: unknown) => {
      ifLate(error);
      overdue += 1;
      const arrived = () => {
        overdue -= 1;
      };
      answer.then(arrived, arrived);
      throw new RedisAway(`Redis has not answered for ${timeoutMs} ms`);
    });
  };

  const ask: Redis['ask'] = !tracing.on
    ? (send, timeoutMs = ASK_TIMEOUT_MS) => askNow(send, timeoutMs)
    : (send, timeoutMs = ASK_TIMEOUT_MS) =>
        tracing.child('redis', { kind: 'client', attributes: { 'db.system.name': 'redis' } }, (span) =>
          askNow(
            (client) =>
              send(
                nameCommands(client, (name) => {
                  span.set({ 'db.operation.name': name });
                  span.rename(`redis ${name}`);
                }),
              ),
            timeoutMs,
          ),
        );

  return {
    commands,
    subscriber,
    ask,
    isReady: () => commands.isReady && subscriber.isReady && overdue === 0,
    async close() {
      if (commands.isReady) await within(CLOSE_TIMEOUT_MS, commands.close()).catch(() => {});
      commands.destroy();
      subscriber.destroy();
    },
  };
}

function createConnection(url: string) {
  return createClient({
    url,
    socket: {
      connectTimeout: 1_000,
      // With a ping every 2 s, 5 s of silence mean a peer that is gone without a word (a cable, a paused machine).
      socketTimeout: 5_000,
      reconnectStrategy: (retries) => Math.min(2_000, 50 * 2 ** retries) * (0.5 + Math.random() / 2),
    },
    pingInterval: 2_000,
    // Away means away: what cannot be sent now is refused now, and the caller knows what to do instead.
    disableOfflineQueue: true,
    commandsQueueMaxLength: 20_000,
    // `ask` limits the wait; the client's own limit costs an AbortSignal a command and ends when the command is
    // written.
    commandOptions: { timeout: 0 },
    maintNotifications: 'disabled',
  });
}

async function connect(client: RedisClient): Promise<void> {
  const first = new Promise<void>((resolve) => {
    client.once('ready', resolve);
    client.once('error', () => {
      resolve();
    });
  });
  // Rejects only when the client is closed while it is still trying.
  client.connect().catch(() => {});
  await first;
}

/**
 * One line when it goes and one when it is back, whatever the number of attempts between. A listener on `error` also
 * keeps the process alive.
 */
function logOutages(clients: Record<string, RedisClient>, log: Log | undefined): void {
  const away = new Set<string>();
  let since = 0;
  for (const [name, client] of Object.entries(clients)) {
    client.on('error', (error: Error & { code?: string }) => {
      if (away.size === 0) {
        since = Date.now();
        log?.warn(
          { connection: name, reason: error.code ?? error.message },
          'Redis is away: answers arrive whole, request limits are kept in the process',
        );
      }
      away.add(name);
    });
    client.on('ready', () => {
      if (away.delete(name) && away.size === 0) log?.info({ awayMs: Date.now() - since }, 'Redis is back');
    });
  }
}

/** Tells the command that is sent first (its name, never its arguments); only where somebody traces. */
function nameCommands(client: RedisClient, onCommand: (name: string) => void): RedisClient {
  let told = false;
  const tell = (name: string) => {
    if (!told) onCommand(name);
    told = true;
  };
  return new Proxy(client, {
    get(target, property) {
      const value: unknown = Reflect.get(target, property, target);
      if (typeof value !== 'function') return value;
      return (...args: unknown[]) => {
        const [command] = property === 'sendCommand' ? (args as [string[]]) : [[String(property)]];
        tell(String(command[0]).toUpperCase());
        return Reflect.apply(value, target, args) as unknown;
      };
    },
  });
}
