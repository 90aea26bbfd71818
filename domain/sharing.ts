/** One message of a shared copy. */
export interface SharedMessage {
  readonly role: 'user' | 'assistant';
  readonly content: string;
}

/** How many days a link lives. */
export const SHARE_DAYS = { default: 30, most: 365 } as const;

/** A copy is read whole, so it is bounded: a million characters are 500 long answers. */
export const MOST_SHARED_CHARACTERS = 1_000_000;
