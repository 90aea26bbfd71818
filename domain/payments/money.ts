/**
 * Money is an integer of the currency's smallest unit: won, or US cents. It is never a fraction, never converted from
 * one currency to another, and sent to providers as it is: whoever multiplies a price by 100 charges a Korean buyer a
 * hundred times too much.
 */
export const CURRENCIES = ['KRW', 'USD'] as const;
export type Currency = (typeof CURRENCIES)[number];

export interface Money {
  /** In the smallest unit, 0 or more. */
  readonly amount: number;
  readonly currency: Currency;
}

/** The most that one purchase may cost, in the smallest unit. */
export const MOST_AMOUNT = 1_000_000_000;

/**
 * The value added tax inside a price of Korean won, a tenth of what is without tax: round(total / 11), as Toss
 * Payments computes it. Null where the operator's tax is not known.
 */
export function taxInside({ amount, currency }: Money): number | null {
  return currency === 'KRW' ? Math.round(amount / 11) : null;
}
