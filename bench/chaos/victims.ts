import { setTimeout as sleep } from 'node:timers/promises';
import { say } from '../../scripts/services/say.ts';
import type { Service } from '../../scripts/services/service.ts';
import type { Random } from './random.ts';

export type VictimKind = 'app' | 'postgresql' | 'temporal' | 'redis';

/** What is killed in each kind of run, with how often; an app is a process of the program. */
export const KINDS = {
  apps: { app: 1 },
  engine: { temporal: 1, redis: 1 },
  all: { postgresql: 2, temporal: 1, redis: 1, app: 3 },
} satisfies Record<string, Readonly<Partial<Record<VictimKind, number>>>>;

export type Kind = keyof typeof KINDS;

/** PostgreSQL reads what it had not yet written, on a machine that has much else to do. */
const BACK_WITHIN_MS = 10 * 60_000;

/** A process that may be killed at any moment, and is started again as a supervisor would. */
export class Victim {
  readonly name: string;
  kills = 0;
  /** How often it ended though nobody killed it. */
  endedByItself = 0;
  #service: Service;
  #isDown = false;
  #isOver = false;

  constructor(service: Service) {
    this.#service = service;
    this.name = service.name;
    this.#watch();
  }

  get isDown(): boolean {
    return this.#isDown;
  }

  /** Kills it with SIGKILL and starts it again after `downMs`. @throws when it does not come back. */
  async killFor(downMs: number): Promise<void> {
    const { pid, died } = this.#service;
    if (pid === null || this.#isDown) return;
    this.#isDown = true;
    this.kills += 1;
    process.kill(pid, 'SIGKILL');
    await died;
    await sleep(downMs);
    await this.#revive();
  }

  async stop(): Promise<void> {
    this.#isOver = true;
    await this.#service.stop();
  }

  async #revive(): Promise<void> {
    const deadline = Date.now() + BACK_WITHIN_MS;
    for (;;) {
      try {
        this.#service = await this.#service.again();
        break;
      } catch (error) {
        // What it needs may be down as well: a supervisor tries again.
        if (this.#isOver) return;
        if (Date.now() > deadline) throw new Error(`${this.name} does not come back`, { cause: error });
        await sleep(500);
      }
    }
    this.#isDown = false;
    this.#watch();
  }

  #watch(): void {
    void this.#service.died.then(async () => {
      if (this.#isDown || this.#isOver) return;
      this.#isDown = true;
      this.endedByItself += 1;
      await this.#revive().catch((error: unknown) => say(String(error)));
    });
  }
}

function victimsOf(kind: Kind, victims: Readonly<Record<VictimKind, readonly Victim[]>>): Victim[] {
  return (Object.keys(KINDS[kind]) as VictimKind[]).flatMap((name) => victims[name]);
}

/** One of the first group that has somebody up, so that each kill hits. */
async function somebodyUp(groups: readonly (readonly Victim[])[], pick: number): Promise<Victim> {
  for (;;) {
    for (const group of groups) {
      const up = group.filter(({ isDown }) => !isDown);
      const victim = up[Math.floor(pick * up.length)];
      if (victim !== undefined) return victim;
    }
    await sleep(100);
  }
}

/**
 * Kills one after the other, at moments of the seed, or as soon as something is up again.
 * @param options.kills how many, spread over the time.
 * @returns what did not come back, when all others are up again.
 */
export async function killAtRandom(
  victims: Readonly<Record<VictimKind, readonly Victim[]>>,
  { kind, kills, ms, random }: { kind: Kind; kills: number; ms: number; random: Random },
): Promise<string[]> {
  const lost: string[] = [];
  const reviving: Promise<void>[] = [];
  const moments = Array.from({ length: kills }, () => random.next() * ms).sort((a, b) => a - b);
  const began = Date.now();
  for (const moment of moments) {
    const [kindOfVictim, pick, downMs] = [
      random.weighted<VictimKind>(KINDS[kind]),
      random.next(),
      random.whole(0, 3_000),
    ];
    await sleep(Math.max(0, began + moment - Date.now()));
    const victim = await somebodyUp([victims[kindOfVictim], victimsOf(kind, victims)], pick);
    say(`${((Date.now() - began) / 1_000).toFixed(1)} s: kill -9 ${victim.name}, down for ${downMs} ms`);
    reviving.push(victim.killFor(downMs).catch((error: unknown) => void lost.push(String(error))));
  }
  await Promise.all(reviving);
  return lost;
}
