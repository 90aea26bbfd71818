import { Gauge } from 'prom-client';
import { within } from '../deadline.ts';

/**
 * What is looked up for a scrape. PostgreSQL's figures are the same from every process, so take their maximum and never
 * their sum.
 */
export interface Figures {
  readonly liveTurns: number;
  readonly liveHolds: number;
  readonly heldTokens: number;
  readonly overshootTokens: number;
  /** The most that one account's empty answers used within this hour and nobody paid. */
  readonly mostUnpaidTokens: number;
  /** When counters were last proved against the whole ledger, in Unix seconds; 0 when they never were. */
  readonly proofCompletedSeconds: number;
  /** How many differed then. */
  readonly proofMismatches: number;
  /** How many seconds the oldest image that nothing names has waited to be removed from its store; 0: none does. */
  readonly looseObjectSeconds: number;
}

/** When things about a provider last went well, in Unix seconds; 0: never. */
export interface PaymentTimes {
  readonly provider: string;
  readonly webhook: number;
  readonly hourly: number;
  readonly daily: number;
  readonly paid: number;
}

export interface PoolState {
  readonly busy: number;
  readonly idle: number;
  readonly max: number;
  /** Callers that wait for a connection. */
  readonly waiting: number;
}

export interface OverloadSource {
  bound(): number;
  starting(): { readonly now: number; readonly bound: number };
}

export interface StateSources {
  figures(): Promise<Figures>;
  /** One row a provider that takes money here, in Unix seconds. */
  payments(): Promise<readonly PaymentTimes[]>;
  pool(): PoolState;
  /** Milliseconds that this process's clock is ahead of PostgreSQL's. */
  clockSkew(): Promise<number>;
  redis: { takesWrites(): boolean; readonly subscriber: { readonly isReady: boolean } };
}

/** Prometheus waits 10 s for a scrape by default. */
const FIGURES_WITHIN_MS = 5_000;

type MakeGauge = <Label extends string = never>(
  name: string,
  help: string,
  labelNames?: readonly Label[],
) => Gauge<Label>;

/**
 * Gauges that are set at the moment of a scrape. A figure that is not available is left out, never left at its last
 * value.
 */
export class Gauges {
  readonly #make: MakeGauge;
  readonly #looks: (() => Promise<void>)[] = [];

  constructor(make: MakeGauge) {
    this.#make = make;
  }

  async look(): Promise<void> {
    await Promise.all(this.#looks.map((look) => look()));
  }

  /** @param longest in seconds. */
  watchLoop(longest: () => number): void {
    const pause = this.#make(
      'turnkeeper_event_loop_longest_pause_seconds',
      'The longest time within the last minute in which this process answered nobody',
    );
    this.#looks.push(async () => pause.set(longest()));
  }

  watchOverload(gate: OverloadSource): void {
    const bound = this.#make(
      'turnkeeper_overload_bound_turns',
      'Live turns beyond which this process refuses a new one with 503',
    );
    const starting = this.#make(
      'turnkeeper_starting_turns',
      'Turns of this process that wait for the decision about their hold',
    );
    const startingBound = this.#make(
      'turnkeeper_starting_turns_bound',
      'How many may, as measured: beyond it a new turn is refused with 503',
    );
    this.#looks.push(async () => {
      bound.set(gate.bound());
      starting.set(gate.starting().now);
      startingBound.set(gate.starting().bound);
    });
  }

  watch({ figures, payments, pool, clockSkew, redis }: StateSources): void {
    const same = '(the same from every process: take the maximum)';
    const gauges = {
      liveTurns: this.#make('turnkeeper_live_turns', `Accepted and running turns of everybody ${same}`),
      liveHolds: this.#make('turnkeeper_live_holds', `Holds that stand ${same}`),
      heldTokens: this.#make('turnkeeper_held_tokens', `Tokens set aside by them ${same}`),
      overshootTokens: this.#make(
        'turnkeeper_overshoot_tokens',
        `Tokens debited beyond 105 % within the last day that neither a provider’s excess nor a moved ceiling explains: must be 0 ${same}`,
      ),
      mostUnpaidTokens: this.#make(
        'turnkeeper_unpaid_tokens_max',
        `The most tokens that one account’s empty answers used within this hour and nobody paid ${same}`,
      ),
      proofCompletedSeconds: this.#make(
        'turnkeeper_proof_completed_timestamp_seconds',
        `When the proof of the counters against the ledger last came to its end; 0: never ${same}`,
      ),
      proofMismatches: this.#make(
        'turnkeeper_proof_mismatches',
        `Counters that differed from the sum of their entries then: must be 0 ${same}`,
      ),
      looseObjectSeconds: this.#make(
        'turnkeeper_loose_object_age_seconds',
        `For how long the oldest image that nothing names any more has waited to be removed from the store ${same}`,
      ),
    } satisfies Record<keyof Figures, Gauge>;
    const connections = this.#make('turnkeeper_postgres_connections', 'Connections of this process to PostgreSQL', [
      'state',
    ]);
    const most = this.#make('turnkeeper_postgres_connections_max', 'How many it may have');
    const waiting = this.#make('turnkeeper_postgres_waiting_callers', 'Callers that wait for a connection');
    const redisUp = this.#make('turnkeeper_redis_up', 'Whether this process’s connection to Redis answers', [
      'connection',
    ]);
    // The pool is read before the scrape's own questions take a connection.
    this.#looks.push(async () => {
      const { busy, idle, max, waiting: callers } = pool();
      connections.set({ state: 'busy' }, busy);
      connections.set({ state: 'idle' }, idle);
      most.set(max);
      waiting.set(callers);
      redisUp.set({ connection: 'commands' }, redis.takesWrites() ? 1 : 0);
      redisUp.set({ connection: 'subscriber' }, redis.subscriber.isReady ? 1 : 0);
    });
    const skew = this.#make(
      'turnkeeper_clock_skew_seconds',
      'How far this process’s clock is ahead of PostgreSQL’s (beyond 30 either way it is not ready)',
    );
    this.#looks.push(async () => {
      const found = await within(FIGURES_WITHIN_MS, clockSkew()).catch(() => null);
      if (found === null) skew.remove();
      else skew.set(found / 1_000);
    });
    const compared = this.#make(
      'turnkeeper_payments_compared_timestamp_seconds',
      `When payments were last compared with a provider’s own lists, by how far back (hourly, daily); 0: never ${same}`,
      ['provider', 'comparison'],
    );
    const heard = this.#make(
      'turnkeeper_payment_webhook_timestamp_seconds',
      `When a webhook of a provider was last heard; 0: never ${same}`,
      ['provider'],
    );
    const paid = this.#make(
      'turnkeeper_payment_paid_timestamp_seconds',
      `When a purchase was last seen to be paid, within a week; 0: never ${same}`,
      ['provider'],
    );
    this.#looks.push(async () => {
      const found = await within(FIGURES_WITHIN_MS, payments()).catch(() => []);
      for (const gauge of [compared, heard, paid]) gauge.reset();
      for (const { provider, webhook, hourly, daily, paid: at } of found) {
        compared.set({ provider, comparison: 'hourly' }, hourly);
        compared.set({ provider, comparison: 'daily' }, daily);
        heard.set({ provider }, webhook);
        paid.set({ provider }, at);
      }
    });
    const postgresUp = this.#make('turnkeeper_postgres_up', 'Whether PostgreSQL answered this scrape');
    this.#looks.push(async () => {
      const found = await within(FIGURES_WITHIN_MS, figures()).catch(() => null);
      postgresUp.set(found === null ? 0 : 1);
      for (const [name, gauge] of Object.entries(gauges)) {
        if (found === null) gauge.remove();
        else gauge.set(found[name as keyof Figures]);
      }
    });
  }
}
