/** Who takes the money. `demo` is the shop of the embedded stack, where nobody pays. */
export const PROVIDERS = ['stripe', 'toss', 'demo'] as const;
export type ProviderName = (typeof PROVIDERS)[number];

/** How somebody pays. What a provider calls otherwise is `other`. */
export const PAYMENT_METHODS = ['card', 'transfer', 'deposit', 'easy_pay', 'phone', 'other'] as const;
export type PaymentMethod = (typeof PAYMENT_METHODS)[number];
