/** Control, format (zero-width, direction), private and unassigned characters, and those that fonts ignore. */
const UNSEEN = /[\p{Cc}\p{Cf}\p{Co}\p{Cn}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}\u{2800}]/u;

/** The most code points of a person's name. */
export const MOST_NAME = 100;
export const NAME_RULE = `must be 1 to ${MOST_NAME} characters, none of them a control, zero-width or direction one`;

/**
 * The one spelling of a person's name: NFC, one space between its parts.
 * @returns null for what is no name.
 */
export function parseName(text: string): string | null {
  if (!text.isWellFormed() || UNSEEN.test(text)) return null;
  const name = text.normalize('NFC').replace(/\s+/gu, ' ').trim();
  return name === '' || [...name].length > MOST_NAME ? null : name;
}

/** The link of an invitation is good for so long. */
export const INVITATION_DAYS = 7;

/** So many invitations a person within 24 hours: those by mail write to whom nobody knows yet. */
export const MOST_INVITATIONS_A_DAY = 5;

/** In which order people are listed. `-` is the other way round; who has no e-mail, or was never here, is first. */
export const PEOPLE_ORDERS = [
  'number',
  '-number',
  'email',
  '-email',
  'lastSeen',
  '-lastSeen',
  'usedTokens',
  '-usedTokens',
] as const;
export type PeopleOrder = (typeof PEOPLE_ORDERS)[number];

/** How a person is named beside what is theirs. */
export interface NamedPerson {
  readonly userId: number;
  readonly email: string | null;
  readonly name: string | null;
}
