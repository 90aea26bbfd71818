import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { SetupError } from '../../domain/setup-error.ts';
import { CURRENCIES, MOST_AMOUNT } from '../../domain/payments/money.ts';
import type { Pack } from '../../domain/payments/pack.ts';

const name = z.string().min(1).max(60);
const packSchema = z.strictObject({
  packId: z.string().regex(/^[a-z0-9][a-z0-9-]{0,39}$/, 'a word of a-z, 0-9 and -'),
  name: z.strictObject({ ko: name, en: name }),
  tokens: z.int().min(1).max(1_000_000_000),
  bonusTokens: z.int().min(0).max(1_000_000_000).default(0),
  currency: z.enum(CURRENCIES),
  amount: z.int().min(1).max(MOST_AMOUNT).describe('in the smallest unit: won, or cents'),
});
const packsSchema = z
  .array(packSchema)
  .max(20)
  .refine((packs) => new Set(packs.map(({ packId }) => packId)).size === packs.length, 'packIds must be unique');

/** What the demo shop sells, so that `npm start` sells from the first minute. */
const DEMO_PACKS: readonly Pack[] = [
  {
    packId: 'small',
    name: { ko: '토큰 10만', en: '100,000 tokens' },
    tokens: 100_000,
    bonusTokens: 0,
    currency: 'KRW',
    amount: 4_900,
  },
  {
    packId: 'medium',
    name: { ko: '토큰 50만', en: '500,000 tokens' },
    tokens: 500_000,
    bonusTokens: 25_000,
    currency: 'KRW',
    amount: 19_900,
  },
  {
    packId: 'large',
    name: { ko: '토큰 100만', en: '1,000,000 tokens' },
    tokens: 1_000_000,
    bonusTokens: 100_000,
    currency: 'KRW',
    amount: 34_900,
  },
];

interface PaymentVariables {
  readonly PACKS?: string | undefined;
  readonly PUBLIC_URL?: string | undefined;
  readonly DEMO_SHOP_URL?: string | undefined;
  readonly STRIPE_SECRET_KEY?: string | undefined;
  readonly STRIPE_WEBHOOK_SECRET?: string | undefined;
  readonly STRIPE_API_URL: string;
  readonly TOSS_SECRET_KEY?: string | undefined;
  readonly TOSS_CLIENT_KEY?: string | undefined;
  readonly TOSS_API_URL: string;
  readonly TOSS_SCRIPT_URL: string;
  readonly PAYMENTS_KEY?: string | undefined;
}

/** The demo shop's deposits go to nobody, so that what seals their account numbers need not be a secret. */
const DEMO_KEY = Buffer.alloc(32, 'demo');

/**
 * What is sold, and by whom the money is taken.
 * @throws SetupError with one sentence that names the variable.
 */
export function readPayments(variables: PaymentVariables, { isProduction }: { readonly isProduction: boolean }) {
  const { PACKS, PUBLIC_URL, DEMO_SHOP_URL, PAYMENTS_KEY } = variables;
  if (DEMO_SHOP_URL !== undefined && isProduction)
    throw new SetupError('DEMO_SHOP_URL: must not be set under NODE_ENV=production');
  const stripe = readStripe(variables);
  const toss = readToss(variables);
  const takesMoney = stripe !== null || toss !== null;
  const sells = DEMO_SHOP_URL !== undefined || takesMoney;
  if (sells && PUBLIC_URL === undefined)
    throw new SetupError('PUBLIC_URL: must be set where tokens are sold, because payment pages lead back to it');
  if (takesMoney && PAYMENTS_KEY === undefined)
    throw new SetupError(
      'PAYMENTS_KEY: must be set where a provider takes money (`openssl rand -base64 32` makes one)',
    );
  return {
    /** The demo shop of the embedded stack; undefined without it. */
    demoShopUrl: DEMO_SHOP_URL,
    stripe,
    toss,
    /** 32 bytes that seal what must be kept secret. */
    key: PAYMENTS_KEY === undefined ? DEMO_KEY : readKey(PAYMENTS_KEY),
    packs: readPacks(PACKS) ?? (DEMO_SHOP_URL === undefined ? [] : DEMO_PACKS),
  } as const;
}

function readStripe({ STRIPE_SECRET_KEY, STRIPE_WEBHOOK_SECRET, STRIPE_API_URL }: PaymentVariables) {
  if (STRIPE_SECRET_KEY === undefined && STRIPE_WEBHOOK_SECRET === undefined) return null;
  if (STRIPE_WEBHOOK_SECRET === undefined)
    throw new SetupError('STRIPE_WEBHOOK_SECRET: must be set together with STRIPE_SECRET_KEY');
  if (STRIPE_SECRET_KEY === undefined)
    throw new SetupError('STRIPE_SECRET_KEY: must be set together with STRIPE_WEBHOOK_SECRET');
  const { origin, pathname } = new URL(STRIPE_API_URL);
  if (pathname !== '/') throw new SetupError('STRIPE_API_URL: must be an origin, without a path');
  return {
    secretKey: STRIPE_SECRET_KEY,
    webhookSecret: STRIPE_WEBHOOK_SECRET,
    apiUrl: origin,
    livemode: modeOf('STRIPE_SECRET_KEY', STRIPE_SECRET_KEY, /^[sr]k_(test|live)_./),
  };
}

function readToss({ TOSS_SECRET_KEY, TOSS_CLIENT_KEY, TOSS_API_URL, TOSS_SCRIPT_URL }: PaymentVariables) {
  if (TOSS_SECRET_KEY === undefined && TOSS_CLIENT_KEY === undefined) return null;
  if (TOSS_CLIENT_KEY === undefined) throw new SetupError('TOSS_CLIENT_KEY: must be set together with TOSS_SECRET_KEY');
  if (TOSS_SECRET_KEY === undefined) throw new SetupError('TOSS_SECRET_KEY: must be set together with TOSS_CLIENT_KEY');
  const livemode = modeOf('TOSS_SECRET_KEY', TOSS_SECRET_KEY, /^(test|live)_g?sk_./);
  if (modeOf('TOSS_CLIENT_KEY', TOSS_CLIENT_KEY, /^(test|live)_g?ck_./) !== livemode)
    throw new SetupError('TOSS_CLIENT_KEY: must be of the same mode (test or live) as TOSS_SECRET_KEY');
  return {
    secretKey: TOSS_SECRET_KEY,
    clientKey: TOSS_CLIENT_KEY,
    apiUrl: TOSS_API_URL.replace(/\/+$/, ''),
    scriptUrl: TOSS_SCRIPT_URL,
    livemode,
  };
}

/** @returns whether real money moves with this key. The message does not repeat it. */
function modeOf(name: string, key: string, shape: RegExp): boolean {
  const mode = shape.exec(key)?.[1];
  if (mode === undefined) throw new SetupError(`${name}: does not look like such a key (${shape.source}…)`);
  return mode === 'live';
}

function readKey(text: string): Buffer {
  const key = Buffer.from(text, 'base64');
  if (key.length !== 32) throw new SetupError('PAYMENTS_KEY: must be 32 bytes in base64 (`openssl rand -base64 32`)');
  return key;
}

/** @param source JSON text, or the path of a JSON file. @returns null when nothing is set. */
function readPacks(source: string | undefined): readonly Pack[] | null {
  if (source === undefined) return null;
  try {
    return packsSchema.parse(JSON.parse(source.trimStart().startsWith('[') ? source : readFileSync(source, 'utf8')));
  } catch (cause) {
    const reason = cause instanceof z.ZodError ? z.prettifyError(cause).replaceAll('\n', ' ') : String(cause);
    throw new SetupError(`PACKS: ${reason}`, { cause });
  }
}
