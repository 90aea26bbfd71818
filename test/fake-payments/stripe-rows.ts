import { randomBytes } from 'node:crypto';
import { Refused } from './http.ts';

export type Metadata = Readonly<Record<string, string>>;
/** A nested form, as `a[b][0]=1` says it. */
export type Form = { readonly [name: string]: string | Form };

export interface StripeSession {
  readonly id: string;
  readonly object: 'checkout.session';
  readonly mode: string;
  readonly created: number;
  readonly livemode: boolean;
  readonly status: 'open' | 'complete' | 'expired';
  readonly payment_status: 'paid' | 'unpaid';
  readonly client_reference_id: string | null;
  readonly metadata: Metadata;
  readonly amount_total: number;
  readonly currency: string;
  readonly expires_at: number;
  readonly payment_intent: string | null;
  readonly url: string | null;
  readonly success_url: string;
  readonly cancel_url: string;
  readonly customer_details: object | null;
}
export interface StripeIntent {
  readonly id: string;
  readonly object: 'payment_intent';
  readonly created: number;
  readonly livemode: boolean;
  readonly status: 'requires_payment_method' | 'processing' | 'succeeded' | 'canceled';
  readonly currency: string;
  readonly amount: number;
  readonly amount_received: number;
  readonly metadata: Metadata;
  readonly client_secret: string;
  /** Of one without its buyer. */
  readonly customer?: string | null;
  readonly last_payment_error?: object | null;
}
export interface StripeRefund {
  readonly id: string;
  readonly object: 'refund';
  readonly created: number;
  readonly amount: number;
  readonly currency: string;
  readonly payment_intent: string;
  readonly charge: string;
  readonly status: 'pending' | 'succeeded' | 'failed';
  readonly metadata: Metadata;
}
export interface StripeDispute {
  readonly id: string;
  readonly object: 'dispute';
  readonly created: number;
  readonly amount: number;
  readonly currency: string;
  readonly payment_intent: string;
  readonly charge: string;
  readonly status: string;
  readonly balance_transactions: readonly { readonly amount: number; readonly currency: string }[];
}
export type Row = { readonly id: string };

/** Canaries: whoever finds one of them in a log or a history has found a leak. */
export const CANARY_LAST4 = '4242canary';
export const CANARY_EMAIL = 'canary-of-stripe@example.com';

/** What a session for a purchase may be asked with. */
export const SESSION_PARAMETERS = new Set(
  'mode client_reference_id metadata payment_intent_data line_items adaptive_pricing success_url cancel_url expires_at locale'.split(
    ' ',
  ),
);
/** What Stripe charges at least, in the smallest unit. */
export const LEAST = { usd: 50, krw: 100 };

export const refusal = (status: number, code: string, type = 'invalid_request_error') =>
  new Refused(status, { error: { type, code, message: code } });
export const newId = (prefix: string) => `${prefix}_${randomBytes(12).toString('hex')}`;
export const seconds = () => Math.floor(Date.now() / 1_000);

export function get<T>(rows: Map<string, T>, id: string): T {
  const found = rows.get(id);
  if (found === undefined) throw refusal(404, 'resource_missing');
  return found;
}

export function at(form: Form, ...path: string[]): Form {
  let part: string | Form | undefined = form;
  for (const name of path) part = typeof part === 'object' ? part[name] : undefined;
  return typeof part === 'object' ? part : {};
}

export function text(form: Form, name: string): string {
  const value = form[name];
  return typeof value === 'string' ? value : '';
}

export function words(form: Form): Metadata {
  return Object.fromEntries(
    Object.entries(form).filter((pair): pair is [string, string] => typeof pair[1] === 'string'),
  );
}
