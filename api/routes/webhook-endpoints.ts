import { randomBytes } from 'node:crypto';
import { isIP } from 'node:net';
import { z } from 'zod';
import {
  changeEndpoint,
  createEndpoint,
  deleteEndpoint,
  getEndpoint,
  listEndpoints,
  type EndpointRecord,
} from '../../db/channels/endpoints.ts';
import { listDeliveries, requeueOf } from '../../db/channels/endpoint-deliveries.ts';
import { writeTestEvent } from '../../db/channels/tell-endpoint.ts';
import type { Principal } from '../../db/people/users.ts';
import { endpointUrl, OPERATOR_EVENTS, type EndpointScope, type WebhookEvent } from '../../domain/channels/endpoint.ts';
import { AppError } from '../../domain/errors.ts';
import { resendDelivery, startDeliveries } from '../../operations/channels/start-deliveries.ts';
import { isPublicAddress } from '../../platform/channels/public-address.ts';
import type { ApiDeps } from '../context.ts';
import { createAllowance } from '../http/limits.ts';
import { defineRoute, type Route } from '../http/route.ts';
import { iso, isoOrNull } from '../present/turn.ts';
import { uuid } from '../wire/fields.ts';
import {
  createEndpointBody,
  deliveryStarted,
  endpointDeliveries,
  endpointPage,
  endpointWithSecret,
  updateEndpointBody,
} from '../wire/webhook.ts';
import { actorOf } from './audit.ts';

const PATH = '/api/webhook-endpoints';
const params = z.object({ endpointId: uuid });
/** A deleted one keeps its row, because its deliveries name it. */
const MADE = { name: 'webhook-made', most: 50, withinS: 86_400 };
/** Each makes us call somebody's server. */
const TRIALS = { name: 'webhook-trial', most: 60, withinS: 3_600 };

/** Servers that are told of events. A person has those of their own account; an admin may have some of all accounts. */
export function webhookEndpointRoutes(deps: ApiDeps): Route[] {
  const { database, channels } = deps;
  const countMade = createAllowance(deps, MADE);
  const countTrial = createAllowance(deps, TRIALS);

  /** @throws AppError channel_off where no key seals secrets. */
  function assertOn(): void {
    if (!channels.outward.webhook) throw new AppError('channel_off');
  }

  /** @throws AppError invalid_request for an address that is never called. */
  function urlOf(text: string, scope: EndpointScope): string {
    const isAllowed = (host: string) => scope === 'operator' && channels.allowHosts.has(host);
    const url = endpointUrl(text, isAllowed);
    if ('wrong' in url) throw new AppError('invalid_request', { field: 'url', reason: url.wrong });
    const host = url.hostname.replace(/^\[(.*)\]$/, '$1');
    // A name is looked up when it is called, and each time anew.
    if (isIP(host) !== 0 && !isPublicAddress(host) && !isAllowed(url.host))
      throw new AppError('invalid_request', { field: 'url', reason: 'must be a public host' });
    return url.href;
  }

  return [
    defineRoute({
      access: 'user',
      tag: 'Webhooks',
      limit: 'read',
      method: 'get',
      path: PATH,
      summary: 'Your webhooks, oldest first',
      answers: { 200: { description: 'All of them', body: endpointPage } },
      errors: [],
      async handle({ principal }) {
        const items = await listEndpoints(database.sql, principal.userId);
        return { status: 200, body: { items: items.map(presentEndpoint), nextCursor: null } };
      },
    }),
    defineRoute({
      access: 'user',
      tag: 'Webhooks',
      limit: 'read',
      method: 'post',
      path: PATH,
      summary: 'Have a server of yours told of events; its secret is shown only in this answer',
      body: createEndpointBody,
      answers: { 201: { description: 'Made, with its secret', body: endpointWithSecret } },
      errors: ['channel_off', 'forbidden'],
      async handle(caller, { body: { scope, events, ...body } }) {
        assertOn();
        const { principal } = caller;
        const { userId } = principal;
        assertMay(principal, { scope, events });
        const secret = newSecret();
        const url = urlOf(body.url, scope);
        await countMade(userId);
        const made = await createEndpoint(database, channels.vault, {
          ...{ userId, scope, url, events, secret },
          actor: actorOf(caller),
        });
        return { status: 201, body: { ...presentEndpoint(made), secret } };
      },
    }),
    defineRoute({
      access: 'user',
      tag: 'Webhooks',
      limit: 'read',
      method: 'patch',
      path: `${PATH}/:endpointId`,
      summary: 'Change its address or events, disable or enable it, or give it a new secret',
      params,
      body: updateEndpointBody,
      answers: { 200: { description: 'The webhook', body: endpointWithSecret } },
      errors: ['channel_off', 'forbidden', 'not_found'],
      async handle(caller, { params: { endpointId }, body: { url, events, state, rotateSecret } }) {
        assertOn();
        const { principal } = caller;
        const { userId } = principal;
        const { scope } = await getEndpoint(database.sql, { endpointId, userId });
        assertMay(principal, { scope, events: events ?? [] });
        const secret = rotateSecret === undefined ? undefined : newSecret();
        const changed = await changeEndpoint(database, channels.vault, {
          endpointId,
          userId,
          url: url === undefined ? undefined : urlOf(url, scope),
          events,
          state,
          secret,
          actor: actorOf(caller),
        });
        return { status: 200, body: { ...presentEndpoint(changed), ...(secret === undefined ? {} : { secret }) } };
      },
    }),
    defineRoute({
      access: 'user',
      tag: 'Webhooks',
      limit: 'read',
      method: 'delete',
      path: `${PATH}/:endpointId`,
      summary: 'Delete it; what waits for it is not sent any more',
      params,
      answers: { 204: { description: 'It is gone' } },
      errors: ['not_found'],
      async handle(caller, { params: { endpointId } }) {
        await deleteEndpoint(database, { endpointId, userId: caller.principal.userId, actor: actorOf(caller) });
        return { status: 204 };
      },
    }),
    defineRoute({
      access: 'user',
      tag: 'Webhooks',
      limit: 'read',
      method: 'post',
      path: `${PATH}/:endpointId/test`,
      summary: 'Send it an event of the type `endpoint.test`; with new webhooks and resends 60 an hour',
      params,
      answers: { 202: { description: 'On its way', body: deliveryStarted } },
      errors: ['channel_off', 'not_found'],
      async handle({ principal: { userId } }, { params: { endpointId } }) {
        assertOn();
        await getEndpoint(database.sql, { endpointId, userId });
        await countTrial(userId);
        const deliveryId = await writeTestEvent(database, { userId, endpointId });
        await startDeliveries(deps, [deliveryId]);
        return { status: 202, body: { deliveryId } };
      },
    }),
    defineRoute({
      access: 'user',
      tag: 'Webhooks',
      limit: 'read',
      method: 'get',
      path: `${PATH}/:endpointId/deliveries`,
      summary: 'Its newest 50 deliveries, newest first',
      params,
      answers: { 200: { description: 'At most 50', body: endpointDeliveries } },
      errors: ['not_found'],
      async handle({ principal: { userId } }, { params: { endpointId } }) {
        await getEndpoint(database.sql, { endpointId, userId });
        const items = (await listDeliveries(database.sql, endpointId)).map(
          ({ createdAt, dueAt, endedAt, ...rest }) => ({
            ...rest,
            createdAt: iso(createdAt),
            dueAt: isoOrNull(dueAt),
            endedAt: isoOrNull(endedAt),
          }),
        );
        return { status: 200, body: { items, nextCursor: null } };
      },
    }),
    defineRoute({
      access: 'user',
      tag: 'Webhooks',
      limit: 'read',
      method: 'post',
      path: `${PATH}/:endpointId/deliveries/:deliveryId/resend`,
      summary: 'Send it once more, now, under the same id',
      params: z.object({ endpointId: uuid, deliveryId: uuid }),
      answers: { 202: { description: 'On its way', body: deliveryStarted } },
      errors: ['channel_off', 'not_found'],
      async handle({ principal: { userId } }, { params: { endpointId, deliveryId } }) {
        assertOn();
        await getEndpoint(database.sql, { endpointId, userId });
        await countTrial(userId);
        await requeueOf(database.sql, { deliveryId, endpointId });
        await resendDelivery(deps, deliveryId);
        return { status: 202, body: { deliveryId } };
      },
    }),
  ];
}

/** Events of all accounts are for admins. */
function assertMay(
  { role }: Principal,
  { scope, events }: { scope: EndpointScope; events: readonly WebhookEvent[] },
): void {
  if (scope === 'operator' && role !== 'admin') throw new AppError('forbidden');
  if (scope === 'account' && events.some((event) => OPERATOR_EVENTS.has(event)))
    throw new AppError('invalid_request', { field: 'events', reason: 'turn.failed needs the scope operator' });
}

function newSecret(): string {
  return `whsec_${randomBytes(24).toString('base64')}`;
}

function presentEndpoint({ userId: _, failingSince, createdAt, ...rest }: EndpointRecord) {
  return { ...rest, failingSince: isoOrNull(failingSince), createdAt: iso(createdAt) };
}
