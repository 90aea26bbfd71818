import { setTimeout as sleep } from 'node:timers/promises';
import { findNotificationsSince } from '../../db/alerts/notifications.ts';
import { isUnavailable } from '../../db/driver/availability.ts';
import { readUsage } from '../../db/money/usage.ts';
import type { Principal } from '../../db/people/users.ts';
import { findTurnsSince, readAccountTip } from '../../db/reports/account-events.ts';
import {
  formatAccountCursor,
  noFurtherThan,
  type AccountCursor,
  type TurnChange,
} from '../../domain/account-events.ts';
import { Bell } from '../../platform/bell.ts';
import type { ApiDeps } from '../context.ts';
import { presentNotification } from '../present/notification.ts';
import { presentUsage } from '../present/turn.ts';

export interface AccountEvent {
  readonly id: string;
  readonly event: 'usage' | 'turn' | 'notification';
  readonly data: unknown;
}

export type FollowDeps = Pick<ApiDeps, 'database' | 'redis' | 'accountFeed' | 'config'>;

/**
 * While messages arrive, a regular look finds what a lost one said, and a period that has ended. Without Redis there
 * are only these looks.
 */
const LIVE_POLL_MS = 15_000;
const AWAY_POLL_MS = 1_000;
/** Changes that come together are read together: at most ten looks a second for a reader. */
const BETWEEN_LOOKS_MS = 100;
const AT_A_TIME = 100;

/**
 * Follows one account: its usage now, then every change of its usage, turns and notifications after `from`, none twice.
 * Everything is read from PostgreSQL; Redis only says when. The first reading happens before this resolves, so that its
 * failure can still be answered as an error.
 */
export class AccountFollower {
  readonly #deps: FollowDeps;
  readonly #principal: Principal;
  readonly #bell = new Bell();
  readonly #watch: { readonly live: boolean; close(): void };
  #at: AccountCursor;
  /** The last usage event, for comparison. A forecast alone moves with the clock, so it is no change. */
  #shown = '';
  /** State and attempt of each turn in the last events. */
  readonly #told = new Map<string, string>();

  private constructor(
    deps: FollowDeps,
    principal: Principal,
    watch: { live: boolean; close(): void },
    at: AccountCursor,
  ) {
    this.#deps = deps;
    this.#principal = principal;
    this.#watch = watch;
    this.#at = at;
  }

  /** @param from what the reader has already; null: everything up to now. */
  static async open(deps: FollowDeps, principal: Principal, from: AccountCursor | null): Promise<AccountFollower> {
    let ring = () => {};
    const watch = deps.accountFeed.watch(principal.userId, () => {
      ring();
    });
    try {
      // The subscription comes before PostgreSQL is read, so that every later change is told.
      await watch.ready;
      const tip = await readAccountTip(deps.database.sql, principal);
      const follower = new AccountFollower(deps, principal, watch, from === null ? tip : noFurtherThan(from, tip));
      ring = () => {
        follower.#bell.ring();
      };
      // Rings for whatever came before there was a bell.
      follower.#bell.ring();
      return follower;
    } catch (error) {
      watch.close();
      throw error;
    }
  }

  /** Runs until `gone` aborts. @param send resolves when the reader can take more. Nothing more is read before. */
  async run(send: (event: AccountEvent) => Promise<void>, gone: AbortSignal): Promise<void> {
    const first = await this.#usage();
    if (first !== null) await send(first);
    while (!gone.aborted) {
      await this.#bell.wait(this.#watch.live && this.#deps.redis.isReady() ? LIVE_POLL_MS : AWAY_POLL_MS, gone);
      if (gone.aborted) return;
      await this.#look(send, gone).catch((error: unknown) => {
        // PostgreSQL may be away for a moment. Nothing is lost: the next look starts where this one ended.
        if (!isUnavailable(error)) throw error;
      });
      await sleep(BETWEEN_LOOKS_MS, undefined, { signal: gone }).catch(() => {});
    }
  }

  close(): void {
    this.#watch.close();
    this.#bell.close();
  }

  async #look(send: (event: AccountEvent) => Promise<void>, gone: AbortSignal): Promise<void> {
    await this.#sendTurns(send, gone);
    await this.#sendNotifications(send, gone);
    const usage = gone.aborted ? null : await this.#usage();
    if (usage !== null) await send(usage);
  }

  async #sendTurns(send: (event: AccountEvent) => Promise<void>, gone: AbortSignal): Promise<void> {
    for (let more = true; more && !gone.aborted;) {
      const turns = await findTurnsSince(this.#deps.database.sql, {
        userId: this.#principal.userId,
        touched: this.#at.touched,
        limit: AT_A_TIME,
      });
      for (const { touched, ...data } of turns) {
        this.#at = { ...this.#at, touched };
        if (this.#isNews(data)) await send({ id: formatAccountCursor(this.#at), event: 'turn', data });
      }
      more = turns.length === AT_A_TIME;
    }
  }

  /** A turn is also touched when its answer is stored, which changes nothing that readers are told. */
  #isNews({ turnId, state, attempt }: TurnChange): boolean {
    const told = `${state} ${attempt}`;
    if (this.#told.get(turnId) === told) return false;
    if (this.#told.size >= AT_A_TIME) this.#told.clear();
    this.#told.set(turnId, told);
    return true;
  }

  async #sendNotifications(send: (event: AccountEvent) => Promise<void>, gone: AbortSignal): Promise<void> {
    for (let more = true; more && !gone.aborted;) {
      const found = await findNotificationsSince(this.#deps.database.sql, {
        userId: this.#principal.userId,
        after: this.#at.notificationId,
        limit: AT_A_TIME,
      });
      for (const notification of found) {
        this.#at = { ...this.#at, notificationId: notification.id };
        await send({
          id: formatAccountCursor(this.#at),
          event: 'notification',
          data: presentNotification(notification),
        });
      }
      more = found.length === AT_A_TIME;
    }
  }

  /** @returns null when the usage has not changed since the last event. */
  async #usage(): Promise<AccountEvent | null> {
    const { database, config } = this.#deps;
    const data = presentUsage(
      await readUsage(database, { accountId: this.#principal.accountId }),
      config.policy.purchaseUrl,
    );
    const shown = JSON.stringify({ ...data, depletesAt: null });
    if (shown === this.#shown) return null;
    this.#shown = shown;
    return { id: formatAccountCursor(this.#at), event: 'usage', data };
  }
}
