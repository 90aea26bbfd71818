import Stripe from 'stripe';
import type { z } from 'zod';
import { readText } from '../call.ts';
import { ProviderUnavailable } from '../provider.ts';

export interface StripeSettings {
  readonly secretKey: string;
  readonly webhookSecret: string;
  /** An origin, such as `https://api.stripe.com`. */
  readonly apiUrl: string;
  readonly livemode: boolean;
}

/** Stripe may wait for a bank itself; whoever waits in a browser is told to look again. */
const ANSWER_WITHIN_MS = 20_000;

/**
 * Stripe's client, for one version of its API. It tries nothing again, because what has no answer is looked up first,
 * and tells Stripe nothing about our calls.
 */
export function createStripeClient({ secretKey, apiUrl }: Pick<StripeSettings, 'secretKey' | 'apiUrl'>): Stripe {
  const { hostname, port, protocol } = new URL(apiUrl);
  const isTls = protocol === 'https:';
  return new Stripe(secretKey, {
    apiVersion: '2026-10-28.endive',
    maxNetworkRetries: 0,
    telemetry: false,
    timeout: ANSWER_WITHIN_MS,
    host: hostname,
    port: port === '' ? (isTls ? 443 : 80) : Number(port),
    protocol: isTls ? 'https' : 'http',
    httpClient: Stripe.createFetchHttpClient(answerTo),
  });
}

/** It follows no redirect, so that the key goes nowhere else, and reads no answer that does not end. */
async function answerTo(...[url, init]: Parameters<typeof fetch>): Promise<Response> {
  const response = await fetch(url, { ...init, redirect: 'manual' });
  return new Response(await readText(response), { status: response.status, headers: response.headers });
}

/**
 * One call and what of its answer is used.
 * @param refused what a definite no is, by Stripe's code; without it nothing is one.
 * @throws ProviderUnavailable for all else: no answer, one that is not Stripe's, a server that is ill, a key that is
 *   wrong or busy. Its message is a word of Stripe's table and names nobody.
 */
export async function answerOf<T extends z.ZodType>(
  call: Promise<unknown>,
  shape: T,
  refused?: (code: string) => Error,
): Promise<z.infer<T>> {
  const answer = shape.safeParse(await call.catch(rethrow(refused)));
  if (!answer.success) throw new ProviderUnavailable('Stripe answered something else');
  return answer.data;
}

/** Refusals that say nothing of what was asked: Stripe wants another try, or its balance to be filled. */
const TRY_AGAIN = new Set(['lock_timeout', 'idempotency_key_in_use', 'balance_insufficient']);

function rethrow(refused?: (code: string) => Error): (error: unknown) => never {
  return (error) => {
    const { StripeError, StripeCardError, StripeInvalidRequestError } = Stripe.errors;
    if (!(error instanceof StripeError)) throw new ProviderUnavailable('Stripe did not answer', { cause: error });
    const code = error.code ?? error.type;
    const isNo = error instanceof StripeCardError || error instanceof StripeInvalidRequestError;
    if (isNo && refused !== undefined && !TRY_AGAIN.has(code)) throw refused(code);
    throw new ProviderUnavailable(`Stripe: ${code}`);
  };
}
