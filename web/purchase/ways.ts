import type { Schemas } from '../api/schemas.ts';
import type { Pack } from './queries.ts';

type Provider = Schemas['Purchase']['provider'];
type Method = NonNullable<Schemas['Purchase']['method']>;

/** A way to pay: who takes the money, and how. */
export interface Way {
  readonly provider: Provider;
  /** Null where the provider's own page asks. */
  readonly method: Method | null;
}

const METHODS = {
  stripe: [null],
  toss: ['card', 'transfer', 'deposit'],
  demo: [null],
} as const satisfies Record<Provider, readonly (Method | null)[]>;

/** The ways in which a pack can be paid, in the order in which the shop names who takes the money. */
export function waysOf({ providers }: Pack): Way[] {
  return providers.flatMap((provider) => METHODS[provider].map((method) => ({ provider, method })));
}
