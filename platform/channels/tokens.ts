import { createHmac, timingSafeEqual } from 'node:crypto';

/** Signs what a link in a mail may do, so that it needs no sign-in and nobody can make one for somebody else. */
export interface LinkTokens {
  /** @param purpose a token for one is none for another. */
  sign(purpose: string, subject: string): string;
  /** What was signed; null for a token that was not signed here for this purpose. */
  read(purpose: string, token: string): string | null;
}

export function createLinkTokens(key: Uint8Array): LinkTokens {
  const macOf = (purpose: string, subject: string) =>
    createHmac('sha256', key).update(`${purpose}\0${subject}`).digest().subarray(0, 18).toString('base64url');
  return {
    sign: (purpose, subject) => `${Buffer.from(subject).toString('base64url')}.${macOf(purpose, subject)}`,
    read(purpose, token) {
      const [, encoded, mac] = /^([\w-]{1,200})\.([\w-]{24})$/.exec(token) ?? [];
      if (encoded === undefined || mac === undefined) return null;
      const subject = Buffer.from(encoded, 'base64url').toString('utf8');
      return timingSafeEqual(Buffer.from(macOf(purpose, subject)), Buffer.from(mac)) ? subject : null;
    },
  };
}
