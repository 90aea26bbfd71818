import { createHash } from 'node:crypto';
import type { z } from 'zod';
import { listDeliveriesOfAll, resendOne } from '../../db/channels/admin-deliveries.ts';
import { getResend, listResends, planResend, type ResendRecord } from '../../db/channels/resends.ts';
import { countOf, startResend, stopResend } from '../../operations/channels/resend.ts';
import { resendDelivery } from '../../operations/channels/start-deliveries.ts';
import { deliveryWorkflowId, resendWorkflowId } from '../../workflows/contract/ids.ts';
import type { ApiDeps } from '../context.ts';
import { readIdempotencyKey } from '../http/idempotency-key.ts';
import { defineRoute, type Route } from '../http/route.ts';
import { withName, withNames } from '../present/person.ts';
import { iso, isoOrNull } from '../present/turn.ts';
import {
  cancelResendBody,
  deliveriesQuery,
  deliveryPage,
  deliveryParams,
  resend,
  resendBody,
  resendOneBody,
  resendPage,
  resendParams,
  resendPlan,
  resendsQuery,
  resendStarted,
} from '../wire/delivery.ts';
import { redriveHeaders } from '../wire/redrive.ts';
import { deliveryStarted } from '../wire/webhook.ts';
import { actorOf } from './audit.ts';

const OF_ADMINS = { access: 'admin', tag: 'Admin' } as const;
const ADMIN = { admin: ({ adminId }: { adminId: number | null }) => adminId };

/** What leaves the house, for admins: how each delivery stands, and sending one or many once more. */
export function deliveryRoutes(deps: ApiDeps): Route[] {
  const { database, links } = deps;
  return [
    defineRoute({
      ...OF_ADMINS,
      limit: 'read',
      method: 'get',
      path: '/api/admin/deliveries',
      summary: 'Notifications on their way: by state, channel, kind and person, newest first',
      query: deliveriesQuery,
      answers: { 200: { description: 'A page', body: deliveryPage } },
      errors: [],
      async handle(_caller, { query: { limit, cursor, ...filter } }) {
        const page = await listDeliveriesOfAll(database.reads, { filter, limit, cursor: cursor ?? null });
        const items = page.items.map(({ deliveryId, createdAt, queuedAt, dueAt, endedAt, ...record }) => {
          const workflowId = deliveryWorkflowId(deliveryId);
          return {
            ...pick(record),
            deliveryId,
            createdAt: iso(createdAt),
            queuedAt: iso(queuedAt),
            dueAt: isoOrNull(dueAt),
            endedAt: isoOrNull(endedAt),
            workflow: { workflowId, url: links.workflow(workflowId) },
          };
        });
        return {
          status: 200,
          body: { ...page, items: await withNames(database.reads, items, { person: ({ userId }) => userId }) },
        };
      },
    }),
    defineRoute({
      ...OF_ADMINS,
      limit: 'read',
      method: 'post',
      path: '/api/admin/deliveries/:deliveryId/resend',
      summary: 'Send one once more, now, under the same id, whatever it came to',
      params: deliveryParams,
      body: resendOneBody,
      answers: { 202: { description: 'On its way', body: deliveryStarted } },
      errors: ['not_found'],
      async handle(caller, { params: { deliveryId }, body: { reason } }) {
        await resendOne(database, { deliveryId, reason, actor: actorOf(caller) });
        await resendDelivery(deps, deliveryId);
        return { status: 202, body: { deliveryId } };
      },
    }),
    defineRoute({
      ...OF_ADMINS,
      limit: 'read',
      method: 'post',
      path: '/api/admin/deliveries/resend',
      summary: 'Send many failed ones once more; first as a dry run, then with its count as `confirm`',
      headers: redriveHeaders,
      body: resendBody,
      answers: {
        200: { description: 'A dry run, or nothing to send', body: resendPlan },
        202: { description: 'It runs; `Location` shows how it goes', body: resendStarted },
      },
      errors: ['confirm_required', 'idempotency_conflict'],
      async handle(caller, { body }) {
        const { dryRun, confirm, ...request } = body;
        if (dryRun) return { status: 200, body: await planResend(database.sql, request) };
        const key = readIdempotencyKey(caller);
        const repeat = key === null ? undefined : { key, requestHash: hashOf(body) };
        const wanted = { ...request, confirm: confirm ?? null, actor: actorOf(caller), repeat };
        const started = await startResend(deps, wanted);
        if (started.resendId === null) return { status: 200, body: started.plan };
        const { resendId, count } = started;
        return { status: 202, headers: { Location: `/api/admin/resends/${resendId}` }, body: { resendId, count } };
      },
    }),
    defineRoute({
      ...OF_ADMINS,
      limit: 'read',
      method: 'get',
      path: '/api/admin/resends',
      summary: 'Sendings of many deliveries, newest first',
      query: resendsQuery,
      answers: { 200: { description: 'A page', body: resendPage } },
      errors: [],
      async handle(_caller, { query: { limit, cursor } }) {
        const page = await listResends(database.sql, { limit, cursor: cursor ?? null });
        const items = page.items.map((record) => present(deps, record));
        return { status: 200, body: { ...page, items: await withNames(database.sql, items, ADMIN) } };
      },
    }),
    defineRoute({
      ...OF_ADMINS,
      limit: 'read',
      method: 'get',
      path: '/api/admin/resends/:resendId',
      summary: 'How far the sending of many deliveries is',
      params: resendParams,
      answers: { 200: { description: 'The resend', body: resend } },
      errors: ['not_found'],
      async handle(_caller, { params: { resendId } }) {
        const record = await getResend(database.sql, resendId);
        return { status: 200, body: await withName(database.sql, present(deps, record), ADMIN) };
      },
    }),
    defineRoute({
      ...OF_ADMINS,
      limit: 'read',
      method: 'post',
      path: '/api/admin/resends/:resendId/cancel',
      summary: 'Begin nothing more, ever; what was begun goes on',
      params: resendParams,
      body: cancelResendBody,
      answers: { 200: { description: 'The resend; one that is over stays as it is', body: resend } },
      errors: ['not_found'],
      async handle(caller, { params: { resendId }, body: { reason } }) {
        const record = await stopResend(deps, { resendId, actor: actorOf(caller), reason: reason ?? null });
        return { status: 200, body: await withName(database.sql, present(deps, record), ADMIN) };
      },
    }),
  ];
}

function pick({ userId, kind, channel, state, to, attempts, error, answer }: Picked): Picked {
  return { userId, kind, channel, state, to, attempts, error, answer };
}
type Picked = Pick<
  Awaited<ReturnType<typeof listDeliveriesOfAll>>['items'][number],
  'userId' | 'kind' | 'channel' | 'state' | 'to' | 'attempts' | 'error' | 'answer'
>;

/** Hashes the parsed fields in a fixed order, which is not that of the filter as it was sent. */
function hashOf({ filter, confirm, limit, ratePerSecond, reason }: z.infer<typeof resendBody>): Buffer {
  return createHash('sha256')
    .update(JSON.stringify([Object.entries(filter).sort(), confirm ?? null, limit, ratePerSecond, reason]))
    .digest();
}

function present({ links }: ApiDeps, record: ResendRecord): Omit<z.infer<typeof resend>, 'admin'> {
  const { resendId, adminId, state, reason, ratePerSecond, createdAt, endedAt } = record;
  const { waiting, sending, delivered, failed } = record;
  const workflowId = resendWorkflowId(resendId);
  return {
    resendId,
    adminId,
    state,
    reason,
    ratePerSecond,
    filter: record.filter as Record<string, string | number>,
    count: countOf(record),
    progress: { waiting, sending, delivered, failed },
    createdAt: iso(createdAt),
    endedAt: isoOrNull(endedAt),
    workflow: { workflowId, url: links.workflow(workflowId) },
  };
}
