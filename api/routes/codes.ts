import type { z } from 'zod';
import {
  getBatch,
  listBatches,
  listCodes,
  revokeCodes,
  type BatchRow,
  type CodeRow,
} from '../../db/redemptions/codes.ts';
import { AppError } from '../../domain/errors.ts';
import { makeBatch, redeem } from '../../operations/payments/redeem.ts';
import type { ApiDeps } from '../context.ts';
import { sendCsv } from '../http/csv.ts';
import { getIdempotencyKey } from '../http/idempotency-key.ts';
import { defineRoute, type Route } from '../http/route.ts';
import { createTries, type Tries } from '../http/tries.ts';
import { withName, withNames } from '../present/person.ts';
import { iso, isoOrNull } from '../present/turn.ts';
import { grantHeaders } from '../wire/grant.ts';
import {
  batch,
  batchBody,
  batchMade,
  batchPage,
  batchParams,
  codePage,
  codesQuery,
  redemption,
  redemptionBody,
  revokeBody,
} from '../wire/redemption.ts';
import { actorOf } from './audit.ts';

/** A code cannot be guessed by as many, and nobody types more. */
const MOST_TRIES = { account: 5, address: 20 };

const MAKER = { maker: ({ madeBy }: { madeBy: number | null }) => madeBy };

/** Codes that give tokens: redeeming them, and for admins making and revoking them. */
export function codeRoutes(deps: ApiDeps): Route[] {
  const { database } = deps;
  let tries: Tries | undefined;
  return [
    defineRoute({
      method: 'post',
      path: '/api/redemptions',
      access: 'user',
      tag: 'Purchases',
      limit: 'read',
      summary: 'Redeem a code for its tokens: once an account; five tries an hour',
      body: redemptionBody,
      answers: { 201: { description: 'The tokens were added', body: redemption } },
      errors: ['code_invalid'],
      async handle({ principal: { userId, accountId }, request }, { body: { code } }) {
        tries ??= createTries(deps.redis, { name: 'code', most: MOST_TRIES });
        await tries.count(accountId, request);
        const { tokens, redeemedAt } = await redeem(deps, { userId, typed: code });
        return { status: 201, body: { tokens, redeemedAt: iso(redeemedAt) } };
      },
    }),
    defineRoute({
      method: 'post',
      path: '/api/admin/codes',
      access: 'admin',
      tag: 'Admin',
      limit: 'read',
      summary: 'Make a batch of codes, which are told only now; as JSON or (Accept: text/csv) CSV',
      headers: grantHeaders,
      body: batchBody,
      answers: {
        201: {
          description: 'The batch with its codes; the same key again is 409, because they are kept nowhere',
          body: batchMade,
          csv: 'RFC 4180 with a header line: `code`, `tokens`, `maxUses`, `expiresAt`',
        },
      },
      errors: ['idempotency_conflict'],
      async handle(caller, { body: { expiresAt: end, ...wanted } }) {
        const expiresAt = end === undefined ? null : Date.parse(end);
        if (expiresAt !== null && expiresAt <= deps.now())
          throw new AppError('invalid_request', { field: 'expiresAt', reason: 'must be later than now' });
        const { batch: made, codes } = await makeBatch(deps, {
          ...wanted,
          expiresAt,
          actor: actorOf(caller),
          key: getIdempotencyKey(caller),
        });
        const { request, response, gone } = caller;
        if (request.accepts(['application/json', 'text/csv']) === 'text/csv')
          return sendCsv(response, {
            status: 201,
            fileName: `turnkeeper-codes-${made.batchId}.csv`,
            columns: ['code', 'tokens', 'maxUses', 'expiresAt'],
            batches: [linesOf(codes, made)],
            gone,
          });
        return {
          status: 201,
          headers: { Vary: 'Accept' },
          body: { ...(await withName(database.sql, present(made), MAKER)), codes },
        };
      },
    }),
    defineRoute({
      method: 'get',
      path: '/api/admin/codes',
      access: 'admin',
      tag: 'Admin',
      limit: 'read',
      summary: 'Batches of codes, newest first',
      query: codesQuery,
      answers: { 200: { description: 'A page', body: batchPage } },
      errors: [],
      async handle(_caller, { query: { limit, cursor } }) {
        const page = await listBatches(database.sql, { limit, cursor: cursor ?? null });
        return { status: 200, body: { ...page, items: await withNames(database.sql, page.items.map(present), MAKER) } };
      },
    }),
    defineRoute({
      method: 'get',
      path: '/api/admin/codes/:batchId',
      access: 'admin',
      tag: 'Admin',
      limit: 'read',
      summary: 'The codes of a batch, by their last letters, and how often each was redeemed',
      params: batchParams,
      query: codesQuery,
      answers: { 200: { description: 'A page', body: codePage } },
      errors: ['not_found'],
      async handle(_caller, { params: { batchId }, query: { limit, cursor } }) {
        await getBatch(database.sql, batchId);
        const page = await listCodes(database.sql, { batchId, limit, cursor: cursor ?? null });
        return { status: 200, body: { ...page, items: page.items.map(presentCode) } };
      },
    }),
    defineRoute({
      method: 'post',
      path: '/api/admin/codes/:batchId/revoke',
      access: 'admin',
      tag: 'Admin',
      limit: 'read',
      summary: 'Let nobody redeem a batch, or one of its codes, any more; what was redeemed stays',
      params: batchParams,
      body: revokeBody,
      answers: { 200: { description: 'The batch', body: batch } },
      errors: ['not_found'],
      async handle(caller, { params: { batchId }, body: { codeId, reason } }) {
        const revoked = await revokeCodes(database, {
          actor: actorOf(caller),
          batchId,
          codeId: codeId ?? null,
          reason,
        });
        return { status: 200, body: await withName(database.sql, present(revoked), MAKER) };
      },
    }),
  ];
}

function linesOf(codes: readonly string[], { tokens, maxUses, expiresAt }: BatchRow) {
  return codes.map((code) => [code, tokens, maxUses, isoOrNull(expiresAt)]);
}

function present({ expiresAt, createdAt, ...row }: BatchRow): Omit<z.infer<typeof batch>, 'maker'> {
  return { ...row, expiresAt: isoOrNull(expiresAt), createdAt: iso(createdAt) };
}

function presentCode({ revokedAt, ...row }: CodeRow): z.infer<typeof codePage>['items'][number] {
  return { ...row, revokedAt: isoOrNull(revokedAt) };
}
