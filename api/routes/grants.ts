import type { GrantResult } from '../../db/money/grants.ts';
import type { AfterWriteDeps } from '../../operations/after-write.ts';
import { grant, reverse } from '../../operations/grant-tokens.ts';
import { getIdempotencyKey } from '../http/idempotency-key.ts';
import { iso } from '../present/turn.ts';
import { defineRoute, type Reply, type Route } from '../http/route.ts';
import { grantBody, grantEntry, grantHeaders, grantParams, userParams } from '../wire/grant.ts';
import { actorOf } from './audit.ts';

export function grantRoutes(deps: AfterWriteDeps): Route[] {
  return [
    defineRoute({
      method: 'post',
      path: '/api/admin/users/:userId/grants',
      access: 'admin',
      tag: 'Admin',
      limit: 'read',
      summary: 'Give a person tokens: overage is paid first, then debt; the rest is added to the purchased tokens',
      params: userParams,
      headers: grantHeaders,
      body: grantBody,
      answers: {
        201: { description: 'The ledger entry, with its audit entry; for a known key the first one', body: grantEntry },
      },
      errors: ['not_found', 'idempotency_conflict'],
      async handle(caller, { params: { userId }, body }) {
        const wanted = { userId, ...body, key: getIdempotencyKey(caller), actor: actorOf(caller) };
        return replyOf(await grant(deps, wanted));
      },
    }),
    defineRoute({
      method: 'post',
      path: '/api/admin/grants/:entryId/reversals',
      access: 'admin',
      tag: 'Admin',
      limit: 'read',
      summary: 'Take a grant back, whole or in part; what the purchased tokens lack becomes debt',
      params: grantParams,
      headers: grantHeaders,
      body: grantBody,
      answers: { 201: { description: 'The ledger entry, linked to the grant', body: grantEntry } },
      errors: ['not_found', 'idempotency_conflict'],
      async handle(caller, { params: { entryId }, body }) {
        const wanted = { entryId, ...body, key: getIdempotencyKey(caller), actor: actorOf(caller) };
        return replyOf(await reverse(deps, wanted));
      },
    }),
  ];
}

/** The reply has no balances, so that a repeated request gets the same answer, whatever has happened since. */
function replyOf({ entryId, userId, tokens, reason, reversesId, createdAt }: GrantResult): Reply {
  return { status: 201, body: { entryId, userId, tokens, reason, reversesId, createdAt: iso(createdAt) } };
}
