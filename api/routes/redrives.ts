import { createHash } from 'node:crypto';
import { z } from 'zod';
import { planRedrive } from '../../db/redrives/plan.ts';
import { listRedriveTurns } from '../../db/redrives/redrive-turns.ts';
import { getRedrive, listRedrives, type RedriveRecord } from '../../db/redrives/redrives.ts';
import { countTurns, type RedriveStep } from '../../domain/redrive.ts';
import { startRedrive, stepRedrive } from '../../operations/run-redrive.ts';
import { redriveWorkflowId } from '../../workflows/contract/ids.ts';
import type { ApiDeps } from '../context.ts';
import { readIdempotencyKey } from '../http/idempotency-key.ts';
import { defineRoute, type Route } from '../http/route.ts';
import { withName, withNames } from '../present/person.ts';
import { iso, isoOrNull } from '../present/turn.ts';
import { uuid } from '../wire/fields.ts';
import {
  redrive,
  redriveBody,
  redriveDetail,
  redriveHeaders,
  redrivePage,
  redrivePlan,
  redriveQuery,
  redrivesQuery,
  redriveStarted,
  redriveStepBody,
} from '../wire/redrive.ts';
import { actorOf } from './audit.ts';

const params = z.object({ redriveId: uuid });
const ADMIN = { admin: ({ adminId }: { adminId: number | null }) => adminId };

export function redriveRoutes(deps: ApiDeps): Route[] {
  const { database } = deps;
  return [
    defineRoute({
      method: 'post',
      path: '/api/admin/turns/replay',
      access: 'admin',
      tag: 'Admin',
      limit: 'read',
      summary: 'Replay many failed turns in the background; first as a dry run, then with its count as `confirm`',
      headers: redriveHeaders,
      body: redriveBody,
      answers: {
        200: { description: 'A dry run, or nothing to replay', body: redrivePlan },
        202: { description: 'It runs; `Location` shows how it goes', body: redriveStarted },
      },
      errors: ['confirm_required', 'idempotency_conflict'],
      async handle(caller, { body }) {
        const { dryRun, confirm, ...request } = body;
        const key = readIdempotencyKey(caller);
        if (dryRun) return { status: 200, body: await planRedrive(database.sql, request) };
        const repeat = key === null ? undefined : { key, requestHash: hashOf(body) };
        const wanted = { ...request, confirm: confirm ?? null, actor: actorOf(caller), repeat };
        const started = await startRedrive(deps, wanted);
        if (started.redriveId === null) return { status: 200, body: started.plan };
        const { redriveId, count } = started;
        return { status: 202, headers: { Location: `/api/admin/redrives/${redriveId}` }, body: { redriveId, count } };
      },
    }),
    defineRoute({
      method: 'get',
      path: '/api/admin/redrives',
      access: 'admin',
      tag: 'Admin',
      limit: 'read',
      summary: 'Replays of many turns, newest first',
      query: redrivesQuery,
      answers: { 200: { description: 'A page', body: redrivePage } },
      errors: [],
      async handle(_caller, { query: { limit, cursor } }) {
        const page = await listRedrives(database, { limit, cursor: cursor ?? null });
        return {
          status: 200,
          body: {
            ...page,
            items: await withNames(
              database.sql,
              page.items.map((record) => present(deps, record)),
              ADMIN,
            ),
          },
        };
      },
    }),
    defineRoute({
      method: 'get',
      path: '/api/admin/redrives/:redriveId',
      access: 'admin',
      tag: 'Admin',
      limit: 'read',
      summary: 'How a replay of many turns goes, and what has become of each turn',
      params,
      query: redriveQuery,
      answers: { 200: { description: 'The redrive', body: redriveDetail } },
      errors: ['not_found'],
      async handle(_caller, { params: { redriveId }, query: { state, limit, cursor } }) {
        const record = await getRedrive(database.sql, redriveId);
        const turns = await listRedriveTurns(database.sql, {
          redriveId,
          state: state ?? null,
          limit,
          cursor: cursor ?? null,
        });
        return { status: 200, body: { ...(await withName(database.sql, present(deps, record), ADMIN)), turns } };
      },
    }),
    step(deps, 'pause', 'paused', 'Begin nothing more until it is resumed; what runs goes on'),
    step(deps, 'resume', 'running', 'Go on; also starts one that Temporal has lost'),
    step(deps, 'cancel', 'cancelling', 'Begin nothing more, ever; what runs goes on and is noted'),
  ];
}

function step(deps: ApiDeps, name: string, to: RedriveStep, summary: string): Route {
  return defineRoute({
    method: 'post',
    path: `/api/admin/redrives/:redriveId/${name}`,
    access: 'admin',
    tag: 'Admin',
    limit: 'read',
    summary,
    params,
    body: redriveStepBody,
    answers: { 200: { description: 'The redrive; one that is over stays as it is', body: redrive } },
    errors: ['not_found'],
    async handle(caller, { params: { redriveId }, body: { reason } }) {
      const record = await stepRedrive(deps, { redriveId, to, actor: actorOf(caller), reason: reason ?? null });
      return { status: 200, body: await withName(deps.database.sql, present(deps, record), ADMIN) };
    },
  });
}

/** Hashes the parsed fields in a fixed order, which is not that of the filter as it was sent. */
function hashOf({ filter, ...request }: z.infer<typeof redriveBody>): Buffer {
  const { confirm, includeSuperseded, limit, ratePerSecond, reason } = request;
  return createHash('sha256')
    .update(
      JSON.stringify([Object.entries(filter).sort(), confirm ?? null, includeSuperseded, limit, ratePerSecond, reason]),
    )
    .digest();
}

function present(
  { links }: ApiDeps,
  { createdAt, endedAt, progress, ...record }: RedriveRecord,
): Omit<z.infer<typeof redrive>, 'admin'> {
  const { state: _, ...counts } = progress;
  const workflowId = redriveWorkflowId(record.redriveId);
  return {
    ...record,
    filter: record.filter as Record<string, string | number | boolean>,
    progress: counts,
    count: countTurns(counts),
    createdAt: iso(createdAt),
    endedAt: isoOrNull(endedAt),
    workflow: { workflowId, url: links.workflow(workflowId) },
  };
}
