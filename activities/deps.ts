import type { Channels } from '../operations/channels/channels.ts';
import type { Shop } from '../operations/payments.ts';
import type { Database } from '../db/database.ts';
import type { PricedModel } from '../domain/model.ts';
import type { Planner } from '../domain/schedules.ts';
import type { ModelClient } from '../platform/model/client.ts';
import type { ObjectStore } from '../platform/objects/object-store.ts';
import type { TokenCounter } from '../platform/tokens/token-counter.ts';
import type { Redis } from '../platform/redis.ts';
import type { StatsCache } from '../platform/stats-cache.ts';
import type { TurnFeed } from '../platform/streams/turn-feed.ts';
import type { Logger } from '../platform/telemetry/log.ts';
import type { Metrics } from '../platform/telemetry/metrics.ts';
import type { DeliveryRuns } from '../platform/temporal/delivery-runs.ts';
import type { PaymentRuns } from '../platform/temporal/payment-runs.ts';
import type { Redrives } from '../platform/temporal/redrives.ts';
import type { Resends } from '../platform/temporal/resends.ts';
import type { TurnRuns } from '../platform/temporal/turn-runs.ts';

/** Everything that activities need, wired by hand in service.ts. */
export interface ActivityDeps {
  readonly database: Database;
  readonly redis: Redis;
  readonly feed: TurnFeed;
  readonly model: ModelClient;
  readonly models: readonly PricedModel[];
  /** Null: images are kept in PostgreSQL. */
  readonly objects: ObjectStore | null;
  readonly counter: TokenCounter;
  readonly runs: TurnRuns;
  readonly redrives: Redrives;
  readonly paymentRuns: PaymentRuns;
  readonly shop: Shop;
  readonly channels: Channels;
  readonly deliveryRuns: DeliveryRuns;
  readonly resends: Resends;
  readonly planner: Planner;
  readonly stats: StatsCache;
  readonly log: Logger;
  readonly metrics: Metrics;
  /** `apiTextSeconds`: how long after its end the texts of a turn of the OpenAI door are kept. */
  readonly reconcile: { readonly quietMs: number; readonly apiTextSeconds: number };
  /** The page where a person buys tokens. */
  readonly purchaseUrl: string;
}
