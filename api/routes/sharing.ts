import { createHash, randomBytes } from 'node:crypto';
import { z } from 'zod';
import {
  createShareLink,
  findSharedCopy,
  listShareLinks,
  revokeShareLink,
  type ShareLinkRecord,
} from '../../db/sharing/share-links.ts';
import { AppError } from '../../domain/errors.ts';
import type { ApiDeps } from '../context.ts';
import { defineRoute, type Route } from '../http/route.ts';
import { iso } from '../present/turn.ts';
import { uuid } from '../wire/fields.ts';
import { createdShareLink, shareBody, sharedCopy, shareLink, shareLinkPage, shareLinksQuery } from '../wire/sharing.ts';

const params = z.object({ conversationId: uuid });
/** 128 bits: nobody finds one by trying. */
const TOKEN_BYTES = 16;

export function sharingRoutes({ database }: Pick<ApiDeps, 'database'>): Route[] {
  return [
    defineRoute({
      method: 'post',
      path: '/api/conversations/:conversationId/shares',
      access: 'user',
      tag: 'Conversations',
      limit: 'read',
      summary: 'Share a copy of a conversation, up to one of its turns, by a link',
      params,
      body: shareBody,
      answers: { 201: { description: 'The link, with its token', body: createdShareLink } },
      errors: ['not_found', 'account_suspended', 'too_many_share_links'],
      async handle({ principal }, { params: { conversationId }, body }) {
        if (principal.suspended) throw new AppError('account_suspended');
        const token = randomBytes(TOKEN_BYTES).toString('base64url');
        const link = await createShareLink(database, {
          conversationId,
          userId: principal.userId,
          turnId: body.turnId ?? null,
          tokenHash: hashOf(token),
          days: body.expiresInDays,
        });
        return { status: 201, body: { ...presentLink(link), token, path: `/s/${token}` } };
      },
    }),
    defineRoute({
      method: 'get',
      path: '/api/conversations/:conversationId/shares',
      access: 'user',
      tag: 'Conversations',
      limit: 'read',
      summary: 'The links to a conversation that are still good, newest first',
      params,
      query: shareLinksQuery,
      answers: { 200: { description: 'A page', body: shareLinkPage } },
      errors: ['not_found'],
      async handle({ principal }, { params: { conversationId }, query: { limit, cursor } }) {
        const page = await listShareLinks(database, {
          conversationId,
          userId: principal.userId,
          limit,
          cursor: cursor ?? null,
        });
        return { status: 200, body: { ...page, items: page.items.map(presentLink) } };
      },
    }),
    defineRoute({
      method: 'delete',
      path: '/api/shares/:shareId',
      access: 'user',
      tag: 'Conversations',
      limit: 'read',
      summary: 'Revoke a link; its copy is deleted',
      params: z.object({ shareId: uuid }),
      answers: { 204: { description: 'It leads nowhere any more' } },
      errors: ['not_found'],
      async handle({ principal }, { params: { shareId } }) {
        await revokeShareLink(database, { shareId, userId: principal.userId });
        return { status: 204 };
      },
    }),
    defineRoute({
      method: 'get',
      path: '/api/shared/:token',
      access: 'public',
      tag: 'Conversations',
      summary: 'A shared copy, for anybody who has its token. Unknown, expired and revoked ones look the same',
      // Any text: a token that cannot be one is as unknown as any other.
      params: z.object({ token: z.string() }),
      answers: { 200: { description: 'The copy', body: sharedCopy } },
      errors: ['not_found'],
      async handle({ response }, { params: { token } }) {
        response.set('X-Robots-Tag', 'noindex, nofollow');
        const copy = await findSharedCopy(database, hashOf(token));
        if (copy === null) throw new AppError('not_found');
        return { status: 200, body: { ...copy, createdAt: iso(copy.createdAt) } };
      },
    }),
  ];
}

function hashOf(token: string): Buffer {
  return createHash('sha256').update(token).digest();
}

function presentLink({ createdAt, expiresAt, ...link }: ShareLinkRecord): z.infer<typeof shareLink> {
  return { ...link, createdAt: iso(createdAt), expiresAt: iso(expiresAt) };
}
