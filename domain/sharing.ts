/** One message of a shared copy. */
export interface SharedMessage {
  readonly role: 'user' | 'assistant';
  readonly content: string;
  /** How many files the question shows, which no copy has. */
  readonly files?: number;
}

/** How many days a link lives. */
export const SHARE_DAYS = { default: 30, most: 365 } as const;

/** Links to one conversation that are good at a time: each keeps a copy. */
export const MOST_SHARE_LINKS = 20;

/** A copy is read whole, so it is bounded: a million characters are 500 long answers. */
export const MOST_SHARED_CHARACTERS = 1_000_000;
