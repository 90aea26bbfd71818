import type { PayloadCodec } from '@temporalio/common';
import type { Request, Response } from 'express';
import type { Channels } from '../operations/channels/channels.ts';
import type { Shop } from '../operations/payments.ts';
import type { ModelSwitches } from '../db/catalogue/switches.ts';
import type { Database } from '../db/database.ts';
import type { HeldKey } from '../db/people/key-holders.ts';
import type { Principal } from '../db/people/users.ts';
import type { Locale } from '../domain/messages.ts';
import type { PricedModel } from '../domain/model.ts';
import type { Planner } from '../domain/schedules.ts';
import type { Config } from '../platform/config/config.ts';
import type { PdfMaker } from '../platform/pdf/pdf-maker.ts';
import type { ObjectStore } from '../platform/objects/object-store.ts';
import type { TokenCounter } from '../platform/tokens/token-counter.ts';
import type { Redis } from '../platform/redis.ts';
import type { Issuer } from '../platform/sign-in/issuer.ts';
import type { StatsCache } from '../platform/stats-cache.ts';
import type { AccountFeed } from '../platform/streams/account-feed.ts';
import type { Presence } from '../platform/streams/presence.ts';
import type { TurnFeed } from '../platform/streams/turn-feed.ts';
import type { Logger } from '../platform/telemetry/log.ts';
import type { Metrics } from '../platform/telemetry/metrics.ts';
import type { Tracing } from '../platform/telemetry/span.ts';
import type { DeliveryRuns } from '../platform/temporal/delivery-runs.ts';
import type { PaymentRuns } from '../platform/temporal/payment-runs.ts';
import type { Redrives, TemporalLinks } from '../platform/temporal/redrives.ts';
import type { Resends } from '../platform/temporal/resends.ts';
import type { TurnRuns } from '../platform/temporal/turn-runs.ts';

/** What the API needs, wired by hand in service.ts. */
export interface ApiDeps {
  readonly config: Pick<
    Config,
    | 'http'
    | 'policy'
    | 'files'
    | 'testRoutes'
    | 'limits'
    | 'demo'
    | 'dataDir'
    | 'webDir'
    | 'oidc'
    | 'payments'
    | 'temporal'
  >;
  /** The catalogue. Which of it is on offer, `turns/offered.ts` says. */
  readonly models: readonly PricedModel[];
  readonly switches: ModelSwitches;
  readonly database: Database;
  /** Null: only our own keys are accepted. */
  readonly issuer: Issuer | null;
  readonly redis: Redis;
  readonly feed: TurnFeed;
  readonly accountFeed: AccountFeed;
  readonly presence: Presence;
  readonly runs: TurnRuns;
  readonly redrives: Redrives;
  readonly paymentRuns: PaymentRuns;
  readonly shop: Shop;
  readonly channels: Channels;
  readonly deliveryRuns: DeliveryRuns;
  readonly resends: Resends;
  readonly links: TemporalLinks;
  /** Reads what Temporal keeps; null: it is plain. */
  readonly codec: PayloadCodec | null;
  readonly stats: StatsCache;
  readonly planner: Planner;
  /** Null: images are kept in PostgreSQL. */
  readonly objects: ObjectStore | null;
  readonly counter: TokenCounter;
  readonly pdf: PdfMaker;
  readonly log: Logger;
  readonly metrics: Metrics;
  readonly tracing: Tracing;
  /** This process's clock, in milliseconds since the epoch. What it says decides about no tokens (G36). */
  now(): number;
}

/** One request, whether or not its sender is known. */
export interface Visitor {
  readonly locale: Locale;
  readonly request: Request;
  readonly response: Response;
  /** Aborts when the reader has gone. What takes milliseconds is finished even while the server stops. */
  readonly closed: AbortSignal;
  /**
   * Aborts when the reader has gone, or the server stops and somebody else can answer, or its grace time is over. A
   * turn goes on either way.
   */
  readonly gone: AbortSignal;
}

/** One authenticated request. Its `gone` aborts, too, when the key with which it came is good no more. */
export interface Caller extends Visitor {
  readonly principal: Principal;
  /** The key of ours with which it came; null: a token of the issuer. */
  readonly key: HeldKey | null;
  readonly keyId: number | null;
  /** Aborts as a visitor's `gone`. What was asked for whole is still answered when its key has ended meanwhile. */
  readonly left: AbortSignal;
  /** Aborts when the server answers nobody any more. */
  readonly over: AbortSignal;
}
