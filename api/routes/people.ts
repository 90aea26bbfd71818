import { acceptInvitation, invitePerson } from '../../db/people/invitations.ts';
import { listKeys } from '../../db/people/key-records.ts';
import { revokeKeyOf } from '../../db/people/keys.ts';
import { changePerson, createPerson } from '../../db/people/users.ts';
import { getUser } from '../../db/reports/admin-users.ts';
import { AppError } from '../../domain/errors.ts';
import { invitationPath, readInvitation } from '../../operations/channels/invitation-link.ts';
import { startDeliveries } from '../../operations/channels/start-deliveries.ts';
import type { ApiDeps } from '../context.ts';
import { defineRoute, type Route } from '../http/route.ts';
import { presentAnyKey } from '../present/key.ts';
import { presentUser } from '../present/person.ts';
import { iso } from '../present/turn.ts';
import { adminUser } from '../wire/admin-user.ts';
import { userParams } from '../wire/grant.ts';
import { keysQuery, personKeyPage } from '../wire/key.ts';
import {
  acceptBody,
  accepted,
  invitation,
  invitationBody,
  newPersonBody,
  personChangeBody,
  personKeyParams,
  revocationBody,
} from '../wire/person.ts';
import { actorOf } from './audit.ts';

const OF_ADMINS = { access: 'admin', tag: 'Admin' } as const;

/** How people come in, what they may do, and the keys that they have. */
export function peopleRoutes(deps: ApiDeps): Route[] {
  const { database, channels } = deps;
  return [
    defineRoute({
      ...OF_ADMINS,
      limit: 'read',
      method: 'post',
      path: '/api/admin/users',
      summary: 'Make a person with an account; an invitation lets them in',
      body: newPersonBody,
      answers: { 201: { description: 'The person', body: adminUser } },
      errors: [],
      async handle(caller, { body }) {
        const { userId } = await createPerson(database, { ...body, actor: actorOf(caller) });
        return {
          status: 201,
          headers: { Location: `/api/admin/users/${userId}` },
          body: presentUser(await getUser(database.sql, userId)),
        };
      },
    }),
    defineRoute({
      ...OF_ADMINS,
      limit: 'read',
      method: 'patch',
      path: '/api/admin/users/:userId',
      summary: 'Change what a person is called or may do; what is left out stays',
      params: userParams,
      body: personChangeBody,
      answers: { 200: { description: 'The person', body: adminUser } },
      errors: ['not_found'],
      async handle(caller, { params: { userId }, body }) {
        await changePerson(database, { userId, ...body, actor: actorOf(caller) });
        return { status: 200, body: presentUser(await getUser(database.sql, userId)) };
      },
    }),
    defineRoute({
      ...OF_ADMINS,
      limit: 'read',
      method: 'post',
      path: '/api/admin/users/:userId/invitations',
      summary: 'Invite a person to sign in, for 7 days; an earlier link of theirs is good no more',
      params: userParams,
      body: invitationBody,
      answers: { 201: { description: 'The invitation', body: invitation } },
      errors: ['not_found', 'channel_off'],
      async handle(caller, { params: { userId }, body: { by } }) {
        const { invitationId, expiresAt, sentTo, deliveryIds } = await invitePerson(database, {
          userId,
          byMail: by === 'mail',
          actor: actorOf(caller),
          outward: channels.outward,
        });
        await startDeliveries(deps, deliveryIds);
        const path = invitationPath(channels.links, { invitationId, byMail: false });
        return {
          status: 201,
          body: {
            invitationId,
            url: by === 'link' ? `${channels.publicUrl}${path}` : null,
            sentTo,
            expiresAt: iso(expiresAt),
          },
        };
      },
    }),
    defineRoute({
      access: 'public',
      tag: 'Sign-in',
      method: 'post',
      path: '/api/invitations/accept',
      summary: 'Get the first key of an invited person, by the token of the link; once the key is used, never again',
      body: acceptBody,
      answers: { 201: { description: 'The key', body: accepted } },
      errors: ['not_found'],
      async handle(_visitor, { body: { token } }) {
        const link = readInvitation(channels.links, token);
        if (link === null) throw new AppError('not_found');
        return { status: 201, body: await acceptInvitation(database, link) };
      },
    }),
    defineRoute({
      ...OF_ADMINS,
      limit: 'read',
      method: 'get',
      path: '/api/admin/users/:userId/keys',
      summary: 'A person’s keys, newest first: their own, and those by which they sign in',
      params: userParams,
      query: keysQuery,
      answers: { 200: { description: 'A page', body: personKeyPage } },
      errors: ['not_found'],
      async handle(_caller, { params: { userId }, query: { limit, cursor, revoked } }) {
        await getUser(database.sql, userId);
        const page = await listKeys(database, {
          userId,
          isRevoked: revoked,
          withSignIn: true,
          limit,
          cursor: cursor ?? null,
        });
        return { status: 200, body: { ...page, items: page.items.map(presentAnyKey) } };
      },
    }),
    defineRoute({
      ...OF_ADMINS,
      limit: 'read',
      method: 'post',
      path: '/api/admin/users/:userId/keys/:keyId/revoke',
      summary: 'Revoke a key of a person’s: the next request with it is 401, and its streams end',
      params: personKeyParams,
      body: revocationBody,
      answers: { 204: { description: 'It lets nobody in any more' } },
      errors: ['not_found'],
      async handle(caller, { params: { userId, keyId }, body: { reason } }) {
        await revokeKeyOf(database, { userId, keyId, reason, actor: actorOf(caller) });
        return { status: 204 };
      },
    }),
  ];
}
