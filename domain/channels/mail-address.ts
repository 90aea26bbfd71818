import { parseEmail } from '../email.ts';

/** Letters and digits of any script, and the signs of RFC 5322's atoms. */
const ATOM = "[\\p{L}\\p{M}\\p{N}!#$%&'*+/=?^_`{|}~-]+";
/** A quoted local part without the signs by which parsers of addresses have been led astray. */
const QUOTED = '"[\\p{L}\\p{M}\\p{N}!#$%&\'*+/=?^_`{|}~.-]+"';
const LABEL = '[\\p{L}\\p{M}\\p{N}](?:[\\p{L}\\p{M}\\p{N}-]{0,61}[\\p{L}\\p{M}\\p{N}])?';
const DELIVERABLE = new RegExp(`^(?:${ATOM}(?:\\.${ATOM})*|${QUOTED})@(?:${LABEL}\\.)+${LABEL}$`, 'u');

export const MAIL_ADDRESS_RULE = 'must be one e-mail address, such as name@example.com';

/**
 * The address as mail is sent to it. It is stricter than what may stand in a profile: one address, without a display
 * name, a comment or an address literal.
 * @returns null for what no mail is sent to.
 */
export function mailAddressOf(text: string): string | null {
  const email = parseEmail(text);
  return email !== null && email.length <= 254 && DELIVERABLE.test(email) ? email : null;
}

/** What others may see of an address: `n…@example.com`. */
export function maskedAddress(email: string): string {
  const [local = '', domain = ''] = email.split('@');
  return `${[...local][0] ?? ''}…@${domain}`;
}
