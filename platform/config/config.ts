import { z } from 'zod';
import { LONGEST_ATTEMPT_MS, STALL_LIMITS } from '../../domain/attempt-limits.ts';
import { SetupError } from '../../domain/setup-error.ts';
import { readCatalogue } from './catalogue.ts';
import { readMail, readWebhooks } from './channels-settings.ts';
import { readCodec } from './codec-settings.ts';
import { readObjects } from './objects-settings.ts';
import { readOidc } from './oidc-settings.ts';
import { readPayments } from './payments-settings.ts';

/**
 * Every variable that the program reads, with its default. No other file knows names in `process.env` (documented in
 * .env.example).
 */
const envSchema = z.object({
  NODE_ENV: z.string().default('development'),
  TURNKEEPER_ROLE: z.enum(['all', 'api', 'worker']).default('all'),
  TURNKEEPER_EMBEDDED: flag(),
  HOST: z.string().optional(),
  PORT: z.coerce.number().int().min(0).max(65_535).default(3000),
  DATA_DIR: z.string().default('.turnkeeper'),
  WEB_DIR: z.string().optional(),
  DATABASE_URL: z.string().optional(),
  DATABASE_DIRECT_URL: z.string().optional(),
  DATABASE_POOL_MAX: positive(20),
  REDIS_URL: z.string().optional(),
  REDIS_HOST: z.string().optional(),
  REDIS_PORT: z.coerce.number().int().min(1).max(65_535).default(6379),
  TEMPORAL_ADDRESS: z.string().optional(),
  TEMPORAL_NAMESPACE: z.string().default('default'),
  TEMPORAL_UI_URL: z.string().optional(),
  TEMPORAL_CODEC_KEYS: z.string().optional(),
  TASK_QUEUE_PREFIX: z.string().default(''),
  SCHEDULE_PLANNER: z.enum(['account', 'zone']).default('account'),
  TEMPORAL_DEPLOYMENT_NAME: z.string().optional(),
  TEMPORAL_WORKER_BUILD_ID: z.string().optional(),
  OPENAI_API_KEY: z.string().optional(),
  OPENAI_BASE_URL: z.string().optional(),
  MODELS: z.string().optional(),
  MODEL_FIRST_BYTE_SECONDS: stall(STALL_LIMITS.firstByteMs),
  MODEL_SILENCE_SECONDS: stall(STALL_LIMITS.betweenMs),
  OIDC_ISSUER: z.string().optional(),
  OIDC_AUDIENCE: z.string().optional(),
  OIDC_CLIENT_ID: z.string().optional(),
  OIDC_SCOPES: z.string().default('openid profile email'),
  OIDC_EXTRA_PARAMS: z.string().optional(),
  OIDC_ROLE_CLAIM: z.string().default('roles'),
  OIDC_ADMIN_ROLE: z.string().optional(),
  PUBLIC_URL: z.url({ protocol: /^https?$/ }).optional(),
  PURCHASE_URL: z.string().optional(),
  PACKS: z.string().optional(),
  DEMO_SHOP_URL: z.url().optional(),
  STRIPE_SECRET_KEY: z.string().optional(),
  STRIPE_WEBHOOK_SECRET: z.string().optional(),
  STRIPE_API_URL: z.url({ protocol: /^https?$/ }).default('https://api.stripe.com'),
  TOSS_SECRET_KEY: z.string().optional(),
  TOSS_CLIENT_KEY: z.string().optional(),
  TOSS_API_URL: z.url({ protocol: /^https?$/ }).default('https://api.tosspayments.com'),
  TOSS_SCRIPT_URL: z.url({ protocol: /^https?$/ }).default('https://js.tosspayments.com/v2/standard'),
  PAYMENTS_KEY: z.string().optional(),
  SMTP_URL: z.string().optional(),
  MAIL_FROM: z.string().optional(),
  WEBHOOK_ALLOW_HOSTS: z.string().default(''),
  SLACK_URL: z.url({ protocol: /^https?$/ }).default('https://hooks.slack.com'),
  TEST_ROUTES: z.stringbool().optional(),
  SENDS_PER_MINUTE: positive(600),
  READS_PER_SECOND: positive(200),
  MAX_CONNECTIONS: positive(4_000),
  MAX_TURNS_IN_FLIGHT: positive(500),
  TURN_SLOTS: positive(500),
  BACKGROUND_SLOTS: positive(20),
  SHUTDOWN_GRACE_SECONDS: positive(20),
  RECONCILE_EVERY_SECONDS: positive(120),
  RECONCILE_QUIET_SECONDS: positive(60),
  API_TEXT_RETENTION: duration('1h'),
  FILES_MB_PER_PERSON: positive(200),
  S3_ENDPOINT: z.string().optional(),
  S3_BUCKET: z.string().optional(),
  S3_REGION: z.string().default('us-east-1'),
  S3_ACCESS_KEY_ID: z.string().optional(),
  S3_SECRET_ACCESS_KEY: z.string().optional(),
  METRICS_PORT: z.coerce.number().int().min(0).max(65_535).optional(),
  METRICS_HOST: z.string().default('127.0.0.1'),
  OTEL_EXPORTER_OTLP_ENDPOINT: z.url().optional(),
  OTEL_SERVICE_NAME: z.string().default('turnkeeper'),
  OTEL_TRACES_SAMPLER_ARG: z.coerce.number().min(0).max(1).default(1),
  LOG_LEVEL: z.enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent']).default('info'),
  LOG_FILE: z.string().optional(),
});

export type Env = Record<string, string | undefined>;
export type Config = ReturnType<typeof readConfig>;

/**
 * Reads the configuration, once, at the start of a process.
 * @param env usually `process.env`. Tests pass a literal.
 * @throws SetupError with one sentence that names the variable and what it must be.
 */
export function readConfig(env: Env = process.env) {
  const set = Object.fromEntries(Object.entries(env).filter(([, value]) => value !== undefined && value !== ''));
  const parsed = envSchema.safeParse(set);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    throw new SetupError(`${issue?.path.join('.') ?? 'configuration'}: ${issue?.message ?? 'invalid'}`);
  }
  const e = parsed.data;
  const isProduction = e.NODE_ENV === 'production';
  if (e.TEST_ROUTES === true && isProduction)
    throw new SetupError('TEST_ROUTES: must not be set under NODE_ENV=production');
  // Links are never made from a request's Host, which anybody may choose.
  const publicUrl = e.PUBLIC_URL?.replace(/\/+$/, '');
  return {
    role: e.TURNKEEPER_ROLE,
    /**
     * Whether there are demo users because `npm start` brought up the services itself. Their keys go to whoever has the
     * secret of this start.
     */
    demo: e.TURNKEEPER_EMBEDDED && !isProduction,
    dataDir: e.DATA_DIR,
    /** Directory of the built web app, which is served at `/`; absent: the API only. */
    webDir: e.WEB_DIR,
    http: {
      host: e.HOST ?? (e.TURNKEEPER_EMBEDDED ? '127.0.0.1' : '0.0.0.0'),
      port: e.PORT,
      mostConnections: e.MAX_CONNECTIONS,
    },
    database: {
      url: e.DATABASE_URL,
      /** Past any pooler, for what belongs to one connection: migrations and their lock. */
      directUrl: e.DATABASE_DIRECT_URL ?? e.DATABASE_URL,
      poolMax: e.DATABASE_POOL_MAX,
    },
    redis: { url: e.REDIS_URL ?? (e.REDIS_HOST === undefined ? undefined : `redis://${e.REDIS_HOST}:${e.REDIS_PORT}`) },
    temporal: {
      address: e.TEMPORAL_ADDRESS,
      namespace: e.TEMPORAL_NAMESPACE,
      uiUrl: e.TEMPORAL_UI_URL,
      taskQueuePrefix: e.TASK_QUEUE_PREFIX,
      planner: e.SCHEDULE_PLANNER,
      /** Null: what Temporal keeps is plain. */
      codec: readCodec(e.TEMPORAL_CODEC_KEYS),
      /** For @temporalio/envconfig, which reads TLS files, API key and profile from its own TEMPORAL_* variables. */
      env: Object.fromEntries(Object.entries(set).filter(([name]) => name.startsWith('TEMPORAL_'))) as Record<
        string,
        string
      >,
    },
    openai: {
      apiKey: e.OPENAI_API_KEY,
      baseUrl: e.OPENAI_BASE_URL,
      stall: { firstByteMs: e.MODEL_FIRST_BYTE_SECONDS * 1_000, betweenMs: e.MODEL_SILENCE_SECONDS * 1_000 },
    },
    models: catalogue(e.MODELS),
    oidc: readOidc(e),
    publicUrl,
    payments: readPayments(e, { isProduction }),
    /** Null: no mail leaves. */
    mail: readMail(e),
    webhooks: readWebhooks(e, { isProduction }),
    policy: { purchaseUrl: e.PURCHASE_URL ?? `${publicUrl ?? 'https://turnkeeper.example'}/purchase` },
    /** Unless somebody says: only the demo has them, and a real model makes it more than one. */
    testRoutes:
      e.TEST_ROUTES ??
      (e.TURNKEEPER_EMBEDDED && !isProduction && e.OPENAI_API_KEY === undefined && e.OPENAI_BASE_URL === undefined),
    limits: {
      sendsPerMinute: e.SENDS_PER_MINUTE,
      readsPerSecond: e.READS_PER_SECOND,
      maxTurnsInFlight: e.MAX_TURNS_IN_FLIGHT,
    },
    worker: {
      turnSlots: e.TURN_SLOTS,
      backgroundSlots: e.BACKGROUND_SLOTS,
      shutdownGraceSeconds: e.SHUTDOWN_GRACE_SECONDS,
      version: versionOf(e.TEMPORAL_DEPLOYMENT_NAME, e.TEMPORAL_WORKER_BUILD_ID),
    },
    /** How long after its end the texts of a turn of the OpenAI door are kept. */
    apiTextSeconds: e.API_TEXT_RETENTION,
    files: {
      /** What all files of a person may have together. */
      bytesPerPerson: e.FILES_MB_PER_PERSON * 1_048_576,
      /** Where images are kept; null: in PostgreSQL. */
      objects: readObjects(e),
    },
    reconcile: { everySeconds: e.RECONCILE_EVERY_SECONDS, quietSeconds: e.RECONCILE_QUIET_SECONDS },
    /** Null: metrics have no port of their own, and admins still read them through the API. */
    metrics: e.METRICS_PORT === undefined ? null : { host: e.METRICS_HOST, port: e.METRICS_PORT },
    tracing: {
      endpoint: e.OTEL_EXPORTER_OTLP_ENDPOINT,
      serviceName: e.OTEL_SERVICE_NAME,
      ratio: e.OTEL_TRACES_SAMPLER_ARG,
    },
    log: { level: e.LOG_LEVEL, file: e.LOG_FILE },
  } as const;
}

/** Names of all variables, for the test that compares .env.example and docker-compose.yml with what is really read. */
export const VARIABLES: readonly string[] = Object.keys(envSchema.shape);

function catalogue(source: string | undefined) {
  try {
    return readCatalogue(source);
  } catch (cause) {
    throw new SetupError(`MODELS: ${cause instanceof Error ? cause.message : 'invalid'}`, { cause });
  }
}

/** The worker's version; null without both variables. One alone is a mistake that would let old turns meet new code. */
function versionOf(deploymentName: string | undefined, buildId: string | undefined) {
  if (deploymentName === undefined && buildId === undefined) return null;
  if (deploymentName === undefined)
    throw new SetupError('TEMPORAL_DEPLOYMENT_NAME: must be set together with TEMPORAL_WORKER_BUILD_ID');
  if (buildId === undefined)
    throw new SetupError('TEMPORAL_WORKER_BUILD_ID: must be set together with TEMPORAL_DEPLOYMENT_NAME');
  return { deploymentName, buildId };
}

function flag() {
  return z.stringbool().default(false);
}

/** A stall limit is at most as long as any call may take, because the call's own limit ends it anyway. */
function stall(fallbackMs: number) {
  return z.coerce
    .number()
    .int()
    .min(1)
    .max(LONGEST_ATTEMPT_MS / 1_000)
    .default(fallbackMs / 1_000);
}

const SECONDS = { s: 1, m: 60, h: 3_600, d: 86_400 } as const;

/** Seconds of a text like `90s`, `30m`, `1h` or `7d`; a number alone is seconds. */
function duration(fallback: string) {
  return z
    .string()
    .regex(/^\d{1,6}[smhd]?$/, 'must be a time like 90s, 30m, 1h or 7d, or 0')
    .default(fallback)
    .transform((text) => {
      const unit = Object.entries(SECONDS).find(([letter]) => text.endsWith(letter));
      return parseInt(text, 10) * (unit?.[1] ?? 1);
    });
}

function positive(fallback: number) {
  return z.coerce.number().int().min(1).max(Number.MAX_SAFE_INTEGER).default(fallback);
}
