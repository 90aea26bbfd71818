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
 * The first look after a start without any message: another process may have sent its message before the subscription,
 * which takes a millisecond. A hold takes tens of them, and hundreds when many turns start at once.
 */
const FIRST_LOOK_MS = 500;

/**
 * Waits for a turn to reach a state. Whenever the feed reports a change PostgreSQL is read again, or the row is taken
 * that comes with the report: what this process wrote itself. Open it before the workflow starts.
 */
export class TurnProgress {
  readonly #deps: Pick<ApiDeps, 'database' | 'feed'>;
  readonly #turnId: string;
  readonly #watch: TurnWatch;
  readonly #before: TurnRecord | null;
  /** What was found last, which is no older than the subscription. */
  #known: TurnRecord | null = null;
  /** The row that came with the last report, until it is taken. */
  #written: TurnRecord | null = null;
  readonly #bell = new Bell();

  /** @param before the turn as it was before anything could change it; null: it has to be read. */
  constructor(deps: Pick<ApiDeps, 'database' | 'feed'>, turnId: string, before: TurnRecord | null = null) {
    this.#deps = deps;
    this.#turnId = turnId;
    this.#before = before;
    this.#watch = deps.feed.watch(turnId, {
      onChanged: (turn) => {
        // A report without its row, which nobody has looked into yet, may be of something newer.
        const isBehind = this.#bell.rung && this.#written === null;
        // Until messages arrive, a later one may be missed: then the row is read once they do.
        this.#written = isBehind || !this.#watch.live ? null : (turn ?? null);
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
    if (!this.#bell.rung && this.#before !== null && !isEnough(this.#before))
      await this.#bell.wait(this.#watch.live ? FIRST_LOOK_MS : AWAY_POLL_MS, gone);
    for (;;) {
      this.#bell.hear();
      const over = Date.now() >= deadline || gone.aborted;
      const turn = this.#takeWritten() ?? (await this.#read(over));
      if (turn !== null) this.#known = turn;
      if (turn !== null && (over || isEnough(turn))) return turn;
      await this.#bell.wait(
        Math.min(this.#watch.live ? LIVE_POLL_MS : AWAY_POLL_MS, Math.max(1, deadline - Date.now())),
        gone,
      );
    }
  }

  /** @returns the turn as it was found, once only; null when it has to be read. It is no older than the watch. */
  takeKnown(): TurnRecord | null {
    const known = this.#takeWritten() ?? (this.#bell.rung ? null : this.#known);
    this.#known = null;
    this.#bell.hear();
    return known;
  }

  #takeWritten(): TurnRecord | null {
    const written = this.#written;
    this.#written = null;
    return written;
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
