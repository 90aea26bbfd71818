/**
 * Money is an integer of the currency's smallest unit: won, or US cents. It is never a fraction, and never converted
 * from one currency to another.
 */
export const CURRENCIES = ['KRW', 'USD'] as const;
export type Currency = (typeof CURRENCIES)[number];

/**
 * How many decimals a currency's smallest unit stands for. Whoever multiplies a price by 100 "because providers want
 * cents" charges a Korean buyer a hundred times too much.
 */
export const DECIMALS = { KRW: 0, USD: 2 } as const satisfies Record<Currency, number>;

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

/** The amount with its decimals, without a sign or separators: `10000` won, `9.99` dollars. */
export function decimalOf({ amount, currency }: Money): string {
  const decimals = DECIMALS[currency];
  if (decimals === 0) return String(amount);
  const digits = String(amount).padStart(decimals + 1, '0');
  return `${digits.slice(0, -decimals)}.${digits.slice(-decimals)}`;
}

/** As people read it: `10,000원`, `₩10,000`, `US$9.99`, `$9.99`. */
export function sayMoney(money: Money, locale: 'ko' | 'en'): string {
  const [whole = '0', rest] = decimalOf(money).split('.');
  const grouped = whole.replace(/\B(?=(\d{3})+$)/g, ',');
  if (money.currency === 'KRW') return locale === 'ko' ? `${grouped}원` : `₩${grouped}`;
  return `${locale === 'ko' ? 'US$' : '$'}${grouped}.${rest ?? '00'}`;
}
