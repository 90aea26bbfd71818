import type { LinkTokens } from '../../platform/channels/tokens.ts';
import { LINKS } from './channels.ts';

interface InvitationLink {
  readonly invitationId: string;
  /** A mail's link says that its mailbox is the person's. One that an admin copies does not. */
  readonly byMail: boolean;
}

/**
 * The path of an invitation's page below the web app's address. The token is after the `#`, which no server and no
 * proxy is sent.
 */
export function invitationPath(links: LinkTokens, { invitationId, byMail }: InvitationLink): string {
  return `/invite#${links.sign(LINKS.invite, `${invitationId}/${byMail ? 'mail' : 'link'}`)}`;
}

/** Null for a token that is not ours. */
export function readInvitation(links: LinkTokens, token: string): InvitationLink | null {
  const [invitationId, by] = links.read(LINKS.invite, token)?.split('/') ?? [];
  return invitationId === undefined || (by !== 'mail' && by !== 'link')
    ? null
    : { invitationId, byMail: by === 'mail' };
}
