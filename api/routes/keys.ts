import { z } from 'zod';
import { createKey, revokeKey, rotateKey, updateKey, type KeySettings, type MintedKey } from '../../db/people/keys.ts';
import { listKeys } from '../../db/people/key-records.ts';
import { AppError } from '../../domain/errors.ts';
import type { ApiDeps } from '../context.ts';
import { createAllowance } from '../http/limits.ts';
import { defineRoute, type Route } from '../http/route.ts';
import { presentKey } from '../present/key.ts';
import { idText } from '../wire/fields.ts';
import { key, keyChangeBody, keyPage, keysQuery, mintedKey, newKeyBody, rotationBody } from '../wire/key.ts';
import { actorOf } from './audit.ts';

const params = z.object({ keyId: idText });
/** Each leaves an entry in the audit log, which is kept for ever. */
const CHANGES = { name: 'key-change', most: 200, withinS: 86_400 };
const OF_PEOPLE = { access: 'user', need: 'sign_in', tag: 'Keys' } as const;

/** Keys are made and seen by who signed in, never by a key. */
export function keyRoutes(deps: Pick<ApiDeps, 'database' | 'models' | 'redis'>): Route[] {
  const { database } = deps;
  const countChange = createAllowance(deps, CHANGES);
  return [
    defineRoute({
      ...OF_PEOPLE,
      limit: 'read',
      method: 'get',
      path: '/api/keys',
      summary: 'Your keys, newest first, with what each has used; those made by the operator are not among them',
      query: keysQuery,
      answers: { 200: { description: 'A page', body: keyPage } },
      errors: [],
      async handle({ principal }, { query: { limit, cursor, revoked } }) {
        const page = await listKeys(database, {
          userId: principal.userId,
          isRevoked: revoked,
          limit,
          cursor: cursor ?? null,
        });
        return { status: 200, body: { ...page, items: page.items.map(presentKey) } };
      },
    }),
    defineRoute({
      ...OF_PEOPLE,
      limit: 'read',
      method: 'post',
      path: '/api/keys',
      summary: 'Make a key; its secret is told only in this answer',
      body: newKeyBody,
      answers: { 201: { description: 'The key, with its secret', body: mintedKey } },
      errors: ['account_suspended', 'too_many_keys'],
      async handle(caller, { body: { accountId, ...wanted } }) {
        const { userId, accountId: own, suspended } = caller.principal;
        if (suspended) throw new AppError('account_suspended');
        if (accountId !== undefined && accountId !== own)
          throw new AppError('invalid_request', { field: 'accountId', reason: 'is not an account of yours' });
        assertOffered(deps, wanted.models);
        const settings: KeySettings = {
          ...wanted,
          capKind: wanted.capTokens === null ? null : (wanted.capKind ?? 'period'),
          expiresAt: instantOf(wanted.expiresAt),
        };
        const made = await createKey(database, { userId, accountId: own, settings, actor: actorOf(caller) });
        return { status: 201, body: presentMinted(made) };
      },
    }),
    defineRoute({
      ...OF_PEOPLE,
      limit: 'read',
      method: 'patch',
      path: '/api/keys/:keyId',
      summary: 'Change a key; what is left out stays',
      params,
      body: keyChangeBody,
      answers: { 200: { description: 'The key', body: key } },
      errors: ['not_found'],
      async handle(caller, { params: { keyId }, body }) {
        if (body.models !== undefined) assertOffered(deps, body.models);
        await countChange(caller.principal.userId);
        const changed = await updateKey(database, {
          userId: caller.principal.userId,
          keyId,
          change: changeOf(body),
          actor: actorOf(caller),
        });
        return { status: 200, body: presentKey(changed) };
      },
    }),
    defineRoute({
      ...OF_PEOPLE,
      limit: 'read',
      method: 'post',
      path: '/api/keys/:keyId/rotate',
      summary: 'Give a key another secret; the one before stays good for the overlap',
      params,
      body: rotationBody,
      answers: { 200: { description: 'The key, with its new secret', body: mintedKey } },
      errors: ['account_suspended', 'not_found', 'key_rotating'],
      async handle(caller, { params: { keyId }, body: { overlapSeconds } }) {
        const { userId, suspended } = caller.principal;
        if (suspended) throw new AppError('account_suspended');
        await countChange(userId);
        const rotated = await rotateKey(database, { userId, keyId, overlapSeconds, actor: actorOf(caller) });
        return { status: 200, body: presentMinted(rotated) };
      },
    }),
    defineRoute({
      ...OF_PEOPLE,
      limit: 'read',
      method: 'delete',
      path: '/api/keys/:keyId',
      summary: 'Revoke a key: the next request with it is 401, and its streams end',
      params,
      answers: { 204: { description: 'It lets nobody in any more' } },
      errors: ['not_found'],
      async handle(caller, { params: { keyId } }) {
        await revokeKey(database, { userId: caller.principal.userId, keyId, actor: actorOf(caller) });
        return { status: 204 };
      },
    }),
  ];
}

/** @throws AppError invalid_request. */
function assertOffered({ models }: Pick<ApiDeps, 'models'>, chosen: readonly string[] | null): void {
  const unknown = chosen?.find((wanted) => !models.some(({ name }) => name === wanted));
  if (unknown !== undefined)
    throw new AppError('invalid_request', { field: 'models', reason: 'names a model that is not on offer' });
}

/** A cap that is taken away takes its kind with it; one that comes without a kind counts by the period. */
function changeOf({ name, scopes, models, requestsPerMinute, ...rest }: z.infer<typeof keyChangeBody>) {
  const { capTokens, capKind, expiresAt } = rest;
  return {
    ...(name === undefined ? {} : { name }),
    ...(scopes === undefined ? {} : { scopes }),
    ...(models === undefined ? {} : { models }),
    ...(requestsPerMinute === undefined ? {} : { requestsPerMinute }),
    ...(capTokens === undefined ? {} : { capTokens, capKind: capTokens === null ? null : (capKind ?? 'period') }),
    ...(expiresAt === undefined ? {} : { expiresAt: instantOf(expiresAt) }),
  } satisfies Partial<KeySettings>;
}

function instantOf(at: string | null): number | null {
  return at === null ? null : Date.parse(at);
}

function presentMinted({ key: record, secret }: MintedKey): z.infer<typeof mintedKey> {
  return { ...presentKey(record), secret };
}
