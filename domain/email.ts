/**
 * Control, format (zero-width, direction), separator, surrogate, private and unassigned characters, those that fonts
 * ignore, and the empty Braille pattern: an address that differs from another by one of them looks the same.
 */
const UNSEEN = /[\p{C}\p{Z}\p{Default_Ignorable_Code_Point}\u{2800}]/u;
/** The local part has at most 64 characters (RFC 5321), the whole at most 320. */
const ADDRESS = /^[^@]{1,64}@[^@]{1,255}$/u;

export const EMAIL_RULE = 'must be an e-mail address without spaces, control, zero-width or direction characters';

/**
 * The one spelling of an e-mail address, by whichever door it comes: NFC and lower case, so that nobody is there twice.
 * @returns null for what is no address.
 */
export function parseEmail(text: string): string | null {
  if (!text.isWellFormed() || UNSEEN.test(text)) return null;
  // Lower case may be decomposed (İ becomes i and a dot above), so it is composed last.
  const email = text.normalize('NFC').toLowerCase().normalize('NFC');
  return ADDRESS.test(email) ? email : null;
}

/** ASCII, and whole Hangul syllables, which look like nothing in it. */
const FAMILIAR = /^[\x21-\x7e가-힣]$/u;

/**
 * The characters of an address that may be taken for others, for admins, each once: the Cyrillic а of `аdmin@…` is
 * `а U+0430`. None in almost every address.
 */
export function lookAlikesOf(email: string | null): string[] {
  const strange = [...new Set(email ?? '')].filter((character) => !FAMILIAR.test(character));
  return strange.map(
    (character) => `${character} U+${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}`,
  );
}
