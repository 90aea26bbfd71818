export const KEPT_CARD_STATES = [
  /** Its owner is on the provider's page, or left it. */
  'open',
  'active',
  /** Its owner took it away, or the provider did. */
  'removed',
] as const;
export type KeptCardState = (typeof KEPT_CARD_STATES)[number];

/** What is shown of a card. */
export interface CardShown {
  /** A word of the card's network, such as `visa`. */
  readonly brand: string;
  readonly last4: string;
  /** The last month in which it is good: `2028-04`. */
  readonly expires: string;
}

/** Cards that an account may add in 24 hours: who tries stolen ones needs many. */
export const MOST_CARDS_A_DAY = 5;
/** How long an unfinished form is looked at. */
export const CARD_FORM_LASTS_MS = 24 * 3_600_000;
