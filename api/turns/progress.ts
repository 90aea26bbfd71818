import type { TurnRecord } from '../../domain/turn.ts';
import { AppError } from '../../domain/errors.ts';
import { isUnavailable } from '../../db/driver/availability.ts';
import { findTurn } from '../../db/turns/turns.ts';
import { Bell } from '../../platform/bell.ts';
import type { TurnWatch } from '../../platform/streams/turn-feed.ts';
import type { ApiDeps } from '../context.ts';

/** While messages arrive, a regular look finds what a lost one said. Without Redis there are only these looks. */
const LIVE_POLL_MS = 1_000;
const AWAY_POLL_MS = 100;
/**
 * The first look after a start without any message: another process may have sent its message before the subscription.
 */
const FIRST_LOOK_MS = 100;

/**
 * Waits for a turn to reach a state. PostgreSQL is read again whenever the feed reports a change. Open it before the
 * workflow starts.
 */
export class TurnProgress {
  readonly #deps: Pick<ApiDeps, 'database' | 'feed'>;
  readonly #turnId: string;
  readonly #watch: TurnWatch;
  #known: TurnRecord | null;
  readonly #bell = new Bell();

  /** @param known the turn as it was before anything could change it; null: it has to be read. */
  constructor(deps: Pick<ApiDeps, 'database' | 'feed'>, turnId: string, known: TurnRecord | null = null) {
    this.#deps = deps;
    this.#turnId = turnId;
    this.#known = known;
    this.#watch = deps.feed.watch(turnId, {
      onChanged: () => {
        this.#bell.ring();
      },
    });
  }

  /** @returns the turn as soon as `isEnough` accepts it, or as it is when `withinMs` have passed or `gone` aborts. */
  async until(
    isEnough: (turn: TurnRecord) => boolean,
    { withinMs, gone }: { withinMs: number; gone: AbortSignal },
  ): Promise<TurnRecord> {
    const deadline = Date.now() + withinMs;
    await this.#watch.ready;
    if (!this.#bell.rung && this.#known !== null && !isEnough(this.#known)) await this.#bell.wait(FIRST_LOOK_MS, gone);
    for (;;) {
      this.#bell.hear();
      const over = Date.now() >= deadline || gone.aborted;
      const turn = await this.#read(over);
      if (turn !== null) this.#known = turn;
      if (turn !== null && (over || isEnough(turn))) return turn;
      await this.#bell.wait(
        Math.min(this.#watch.live ? LIVE_POLL_MS : AWAY_POLL_MS, Math.max(1, deadline - Date.now())),
        gone,
      );
    }
  }

  /** @returns what was read last, once only, unless it may have changed since. */
  takeKnown(): TurnRecord | null {
    const known = this.#bell.rung ? null : this.#known;
    this.#known = null;
    return known;
  }

  close(): void {
    this.#watch.close();
    this.#bell.close();
  }

  /** The wait goes on while PostgreSQL is away for a moment, because the turn goes on, too. */
  async #read(last: boolean): Promise<TurnRecord | null> {
    try {
      return await getTurn(this.#deps, this.#turnId);
    } catch (error) {
      if (last || !isUnavailable(error)) throw error;
      return null;
    }
  }
}

/** A turn of whoever's that is known to stand. @throws AppError not_found. */
export async function getTurn({ database }: Pick<ApiDeps, 'database'>, turnId: string): Promise<TurnRecord> {
  const turn = await findTurn(database, { turnId, userId: null });
  if (turn === null) throw new AppError('not_found');
  return turn;
}
