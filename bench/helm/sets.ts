/** Values with which the chart is rendered and looked at: what people choose, and everything that can be set. */
export interface Values {
  readonly split?: boolean;
  readonly config?: Readonly<Record<string, string | number | boolean>>;
  readonly secrets?: Readonly<Record<string, { readonly name: string; readonly key?: string }>>;
  readonly [name: string]: unknown;
}

/** What the chart gives each process itself. */
export const OWN = ['NODE_ENV', 'TURNKEEPER_ROLE', 'HOST', 'PORT', 'METRICS_HOST', 'METRICS_PORT'];

/** What is never set in a cluster: `npm start` and tests have it. */
export const NEVER = ['TURNKEEPER_EMBEDDED', 'DATA_DIR', 'TEST_ROUTES', 'DEMO_SHOP_URL'];

/** A value for every other variable that is no secret, and all of them together are a configuration. */
export const EVERY_CONFIG: NonNullable<Values['config']> = {
  WEB_DIR: '/web',
  DATABASE_POOL_MAX: 12,
  REDIS_HOST: 'redis',
  REDIS_PORT: 6380,
  TEMPORAL_ADDRESS: 'temporal:7233',
  TEMPORAL_NAMESPACE: 'turnkeeper',
  TEMPORAL_UI_URL: 'https://temporal.example',
  TASK_QUEUE_PREFIX: 'a-',
  SCHEDULE_PLANNER: 'zone',
  TEMPORAL_DEPLOYMENT_NAME: 'turnkeeper',
  TEMPORAL_WORKER_BUILD_ID: '20261130',
  OPENAI_BASE_URL: 'https://models.example/v1',
  MODELS: '[{"name":"m","contextWindow":8000,"maxOutputTokens":800,"defaultOutputTokens":400}]',
  MODEL_FIRST_BYTE_SECONDS: 50,
  MODEL_SILENCE_SECONDS: 20,
  OIDC_ISSUER: 'https://id.example',
  OIDC_AUDIENCE: 'https://api.example',
  OIDC_CLIENT_ID: 'web',
  OIDC_SCOPES: 'openid',
  OIDC_EXTRA_PARAMS: 'resource=https://api.example',
  OIDC_ROLE_CLAIM: 'roles',
  OIDC_ADMIN_ROLE: 'boss',
  PUBLIC_URL: 'https://chat.example',
  PURCHASE_URL: 'https://chat.example/buy',
  PACKS: '[]',
  STRIPE_API_URL: 'https://stripe.example',
  TOSS_CLIENT_KEY: 'test_ck_1',
  TOSS_API_URL: 'https://toss.example',
  TOSS_SCRIPT_URL: 'https://toss.example/script',
  MAIL_FROM: 'Turnkeeper <no-reply@example.com>',
  WEBHOOK_ALLOW_HOSTS: 'hooks.intranet:8080',
  SLACK_URL: 'https://slack.example',
  SENDS_PER_MINUTE: 100,
  READS_PER_SECOND: 50,
  MAX_CONNECTIONS: 8_000,
  MAX_TURNS_IN_FLIGHT: 1_500,
  TURN_SLOTS: 400,
  BACKGROUND_SLOTS: 10,
  SHUTDOWN_GRACE_SECONDS: 45,
  RECONCILE_EVERY_SECONDS: 60,
  RECONCILE_QUIET_SECONDS: 30,
  API_TEXT_RETENTION: '2h',
  FILES_MB_PER_PERSON: 200,
  S3_ENDPOINT: 'https://s3.example',
  S3_BUCKET: 'turnkeeper-files',
  S3_REGION: 'ap-northeast-2',
  S3_ACCESS_KEY_ID: 'AKTEST',
  OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector:4318',
  OTEL_SERVICE_NAME: 'chat',
  OTEL_TRACES_SAMPLER_ARG: '0.1',
  LOG_LEVEL: 'warn',
  LOG_FILE: '/tmp/turnkeeper.log',
};

/** What lies in the Secrets, as whoever made them wrote it. */
export const EVERY_SECRET: Readonly<Record<string, string>> = {
  DATABASE_URL: 'postgres://turnkeeper:secret@pgbouncer:6432/turnkeeper',
  DATABASE_DIRECT_URL: 'postgres://turnkeeper:secret@postgres:5432/turnkeeper',
  REDIS_URL: 'rediss://:secret@redis:6379',
  TEMPORAL_CODEC_KEYS: `none,new:${Buffer.alloc(32, 1).toString('base64')}`,
  OPENAI_API_KEY: 'sk-secret',
  STRIPE_SECRET_KEY: 'sk_test_1',
  STRIPE_WEBHOOK_SECRET: 'whsec_1',
  TOSS_SECRET_KEY: 'test_sk_1',
  PAYMENTS_KEY: Buffer.alloc(32, 2).toString('base64'),
  SMTP_URL: 'smtps://user:secret@mail.example',
  S3_SECRET_ACCESS_KEY: 'secret',
};

export const SETS: Readonly<Record<string, Values>> = {
  'as it comes': {},
  'API and worker apart, on turns in flight': {
    split: true,
    roles: {
      api: { autoscaling: { max: 6 } },
      worker: { autoscaling: { metric: 'turns', turns: 40 }, resources: { limits: { memory: '2Gi' } } },
    },
  },
  'everything that can be set': {
    config: EVERY_CONFIG,
    secrets: Object.fromEntries(Object.keys(EVERY_SECRET).map((name) => [name, { name: 'turnkeeper', key: name }])),
  },
  'in a cluster with an operator for all': {
    image: { repository: 'registry.example/turnkeeper', digest: `sha256:${'a'.repeat(64)}` },
    imagePullSecrets: [{ name: 'registry' }],
    ingress: {
      enabled: true,
      className: 'nginx',
      host: 'chat.example',
      tlsSecret: 'chat-tls',
      annotations: { a: 'b' },
    },
    serviceMonitor: { enabled: true, labels: { release: 'prometheus' } },
    networkPolicy: {
      apiFrom: [{ namespaceSelector: { matchLabels: { name: 'ingress' } } }],
      metricsFrom: [{ namespaceSelector: { matchLabels: { name: 'monitoring' } } }],
      extraEgress: [{ to: [{ ipBlock: { cidr: '10.9.0.0/16' } }], ports: [{ port: 8000 }] }],
    },
    roles: { all: { autoscaling: { metric: 'turns' } } },
    extraVolumes: [{ name: 'certificates', secret: { secretName: 'temporal-tls' } }],
    extraVolumeMounts: [{ name: 'certificates', mountPath: '/etc/temporal', readOnly: true }],
    config: {
      TEMPORAL_TLS_CLIENT_CERT_PATH: '/etc/temporal/tls.crt',
      TEMPORAL_TLS_CLIENT_KEY_PATH: '/etc/temporal/tls.key',
      NODE_EXTRA_CA_CERTS: '/etc/temporal/ca.crt',
    },
    serviceAccount: { annotations: { 'iam.example/role': 'chat' } },
    podAnnotations: { a: 'b' },
    podLabels: { team: 'chat' },
    nodeSelector: { disk: 'ssd' },
    tolerations: [{ key: 'chat', operator: 'Exists' }],
    affinity: { nodeAffinity: {} },
    priorityClassName: 'high',
  },
  'as little as possible': {
    roles: { all: { replicas: 1, autoscaling: { enabled: false } } },
    migrate: { enabled: false },
    podDisruptionBudget: { enabled: false },
    networkPolicy: { enabled: false },
    serviceAccount: { create: false },
  },
};

/** Mistakes that the chart's schema refuses, each before anything is installed. */
export const REFUSED: Readonly<Record<string, Values>> = {
  'a variable that nobody reads': { config: { SHUTDOWN_GRACE: 30 } },
  'a secret among what is no secret': { config: { DATABASE_URL: 'postgres://a:b@c/d' } },
  'what belongs to npm start': { config: { TEST_ROUTES: true } },
  'a secret without a name': { secrets: { PAYMENTS_KEY: { name: '' } } },
  'a word that the chart does not know': { replicas: 3 },
  'an ingress without a host': { ingress: { enabled: true } },
  'a metric that there is not': { roles: { all: { autoscaling: { metric: 'memory' } } } },
};
