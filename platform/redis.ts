import { createClient } from 'redis';
import { ignoreLateness, within } from './deadline.ts';
import type { Logger } from './telemetry/log.ts';
import { NO_TRACING, type Tracing } from './telemetry/span.ts';

/**
 * Two connections, because one that has subscribed serves messages only. So a slow reader of messages never delays a
 * command.
 */
export interface Redis {
  readonly commands: RedisClient;
  readonly subscriber: RedisClient;
  /**
   * Whether both connections answer. Without them the service is degraded, not broken: nothing of value is in Redis
   * alone.
   */
  isReady(): boolean;
  /** Whether `commands` is connected, and was not answered with a refusal since it last took a write. */
  takesWrites(): boolean;
  /** Asks for a write. @returns `isReady`, as it is after that. */
  probe(): Promise<boolean>;
  /**
   * Sends to `commands` and waits `timeoutMs` (500) for the answer. The client's own timeout covers only what was not
   * yet written, so a server that accepts and never answers would hang its callers: use this for everything a person
   * waits for.
   * @throws RedisAway at once while it is away, refuses or owes an overdue answer, and after `timeoutMs`; then the
   *   outcome is unknown.
   */
  ask<T>(send: (commands: RedisClient) => Promise<T>, timeoutMs?: number): Promise<T>;
  close(): Promise<void>;
}

export type RedisClient = ReturnType<typeof createConnection>;
type Log = Pick<Logger, 'info' | 'warn'>;

/** Redis does not answer in time. Callers always go on, with PostgreSQL or memory. */
export class RedisAway extends Error {
  override readonly name = 'RedisAway';
}

/** How long a start waits for a Redis that neither refuses nor answers. The process then starts without it. */
const BOOT_WAIT_MS = 1_000;
const ASK_TIMEOUT_MS = 500;
const CLOSE_TIMEOUT_MS = 500;
const PROBE_EVERY_MS = 500;

/**
 * Answers of a Redis that is there and does not serve: a copy after a demotion, one that is full, loads, cannot save or
 * has lost its cluster. It counts as away until it takes a write again.
 */
const REFUSALS = /^(READONLY|OOM|LOADING|MISCONF|MASTERDOWN|CLUSTERDOWN|NOREPLICAS|BUSY)\b/;

/** Connects in the background and never gives up. Resolves when both connections answer, or have failed once. */
export async function openRedis(url: string, log?: Log, tracing: Tracing = NO_TRACING): Promise<Redis> {
  const commands = createConnection(url);
  const subscriber = createConnection(url);
  const outages = new Outages({ commands, subscriber }, log);
  await within(BOOT_WAIT_MS, Promise.all([connect(commands), connect(subscriber)])).catch(ignoreLateness);

  // Answers that came too late for their callers. While one is outstanding, further commands would only queue behind
  // it.
  let overdue = 0;
  let isRefusing = false;
  let nextProbe: NodeJS.Timeout | undefined;
  const refused = (reason: string) => {
    isRefusing = true;
    outages.begin('writes', reason);
    nextProbe ??= setInterval(() => void recover(), PROBE_EVERY_MS).unref();
  };
  const recover = async () => {
    // One that is gone meanwhile has nothing to refuse with; its connection is looked after elsewhere.
    const isTaken = await within(ASK_TIMEOUT_MS, write(commands)).then(
      () => true,
      () => false,
    );
    if (!isTaken || !isRefusing) return;
    isRefusing = false;
    clearInterval(nextProbe);
    nextProbe = undefined;
    outages.end('writes');
  };
  const askNow = async <T>(send: (client: RedisClient) => Promise<T>, timeoutMs: number): Promise<T> => {
    if (!commands.isReady || isRefusing || overdue > 0) throw new RedisAway('Redis is away');
    const answer = send(commands);
    return within(timeoutMs, answer).catch((error: unknown) => {
      const refusal = refusalIn(error);
      if (refusal !== null) {
        refused(refusal);
        throw new RedisAway('Redis refuses', { cause: error });
      }
      ignoreLateness(error);
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

  const takesWrites = () => commands.isReady && !isRefusing;
  const isReady = () => takesWrites() && subscriber.isReady && overdue === 0;
  return {
    commands,
    subscriber,
    ask,
    isReady,
    takesWrites,
    probe: () => ask(write).then(isReady, isReady),
    async close() {
      clearInterval(nextProbe);
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
      // A ping is sent every 2 s, so 5 s of silence mean that the peer has vanished (a cable, a paused machine).
      socketTimeout: 5_000,
      reconnectStrategy: (retries) => Math.min(2_000, 50 * 2 ** retries) * (0.5 + Math.random() / 2),
    },
    pingInterval: 2_000,
    // A command that cannot be sent now is refused now, and its caller knows what to do instead.
    disableOfflineQueue: true,
    commandsQueueMaxLength: 20_000,
    // `ask` limits the wait. The client's own limit costs an AbortSignal a command, and ends once the command is
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
  // Rejects only when the client is closed while it still tries to connect.
  client.connect().catch(() => {});
  await first;
}

/** A word that nobody reads. */
function write(client: RedisClient): Promise<unknown> {
  return client.set('turnkeeper:probe', '', { expiration: { type: 'EX', value: 1 } });
}

/** The server's word for why it does not serve, or null. */
function refusalIn(error: unknown): string | null {
  return error instanceof Error ? (REFUSALS.exec(error.message)?.[1] ?? null) : null;
}

/** One line when it goes and one when it is back, whatever the number of attempts between. */
class Outages {
  readonly #away = new Set<string>();
  readonly #log: Log | undefined;
  #since = 0;

  /** A listener on `error` also keeps the process alive. */
  constructor(clients: Record<string, RedisClient>, log: Log | undefined) {
    this.#log = log;
    for (const [name, client] of Object.entries(clients)) {
      client.on('error', (error: Error & { code?: string }) => this.begin(name, error.code ?? error.message));
      client.on('ready', () => this.end(name));
    }
  }

  begin(what: string, reason: string): void {
    if (this.#away.size === 0) {
      this.#since = Date.now();
      this.#log?.warn(
        { connection: what, reason },
        'Redis is away: answers arrive whole, request limits are kept in the process',
      );
    }
    this.#away.add(what);
  }

  end(what: string): void {
    if (this.#away.delete(what) && this.#away.size === 0)
      this.#log?.info({ awayMs: Date.now() - this.#since }, 'Redis is back');
  }
}

/** Reports the name of the command that is sent first, never its arguments. Used only when tracing. */
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
