/**
 * Keeps a hot account from taking all connections. Transactions of one account wait for each other at its row, so no
 * more than two of them get anywhere: one holds the row, one is next. The others wait here, without a connection (G39).
 * A quarter of the connections is never given to such transactions, so that reads and probes are answered while many
 * accounts are locked.
 */
export interface Lanes {
  /**
   * Runs `work` once the account has a place. It must not enter a lane itself.
   * @param options.withinMs how long to wait for a place. @throws LaneBusy.
   */
  enter<T>(accountId: number, options: { readonly withinMs: number }, work: () => Promise<T>): Promise<T>;
}

/** A lock that was not granted, as its code says: nothing was done, and later it may be. */
export class LaneBusy extends Error {
  override readonly name = 'LaneBusy';
  readonly code = '55P03';

  constructor() {
    super('too many others wait for this account');
  }
}

const AT_ONCE = 2;
/** Who comes when so many wait already is refused at once. */
const MOST_WAITING = 256;

/** @param options.connections of the pool; `atOnce`: transactions of one account that have one. */
export function createLanes({ connections, atOnce = AT_ONCE }: { connections: number; atOnce?: number }): Lanes {
  const all = new Places(Math.max(1, connections - Math.ceil(connections / 4)));
  const lanes = new Map<number, { readonly places: Places; users: number }>();
  return {
    async enter(accountId, { withinMs }, work) {
      const lane = lanes.get(accountId) ?? { places: new Places(atOnce), users: 0 };
      lanes.set(accountId, lane);
      lane.users += 1;
      const deadline = performance.now() + withinMs;
      try {
        return await lane.places.use(deadline, () => all.use(deadline, work));
      } finally {
        lane.users -= 1;
        if (lane.users === 0) lanes.delete(accountId);
      }
    },
  };
}

/** So many places; first come, first served. */
export class Places {
  #free: number;
  readonly #waiting = new Set<() => void>();

  constructor(size: number) {
    this.#free = size;
  }

  async use<T>(deadline: number, work: () => Promise<T>): Promise<T> {
    if (this.#free > 0) this.#free -= 1;
    else await this.#wait(deadline - performance.now());
    try {
      return await work();
    } finally {
      this.#leave();
    }
  }

  /** Resolves with the place of somebody who leaves. */
  async #wait(withinMs: number): Promise<void> {
    if (this.#waiting.size >= MOST_WAITING) throw new LaneBusy();
    await new Promise<void>((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#waiting.delete(enter);
        reject(new LaneBusy());
      }, withinMs);
      const enter = () => {
        clearTimeout(timer);
        resolve();
      };
      this.#waiting.add(enter);
    });
  }

  #leave(): void {
    const [next] = this.#waiting;
    if (next === undefined) {
      this.#free += 1;
      return;
    }
    this.#waiting.delete(next);
    next();
  }
}
