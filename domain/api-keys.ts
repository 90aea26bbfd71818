/** What a key that a person made may do: the chat door's writes, the OpenAI door, reading calls. */
export const KEY_SCOPES = ['chat', 'v1', 'read'] as const;
export type KeyScope = (typeof KEY_SCOPES)[number];

/** Whether a cap begins anew with each period of the account that pays, or holds for the key's whole life. */
export const CAP_KINDS = ['period', 'total'] as const;
export type CapKind = (typeof CAP_KINDS)[number];

export const KEY_STATES = ['live', 'expired', 'revoked'] as const;
export type KeyState = (typeof KEY_STATES)[number];

/** Keys of a person that are good at once, and keys that a person may make within a day. */
export const MOST_LIVE_KEYS = 50;
export const MOST_KEYS_A_DAY = 200;

/** How long the secret before a rotation may stay good. */
export const OVERLAP_SECONDS = { default: 86_400, most: 30 * 86_400 };

/** A key's cap as it stands, without the turn that asks. Tokens. */
export interface KeyCap {
  readonly tokens: number;
  readonly used: number;
  /** Live holds of the key's other turns. */
  readonly held: number;
}

/** What a request must come with. `person`: no key that a person made. `sign_in`: whoever signed in themselves. */
export type Need = KeyScope | 'person' | 'sign_in';
