import type { Database } from '../db/database.ts';
import type { RedrivePlan } from '../db/redrives/plan.ts';
import {
  createRedrive,
  findRedrive,
  findUnfinishedRedrives,
  getRedrive,
  moveRedrive,
  type CreatedRedrive,
  type RedriveRecord,
  type StartRedrive,
} from '../db/redrives/redrives.ts';
import type { AuditActor } from '../domain/audit.ts';
import { AppError } from '../domain/errors.ts';
import { countTurns, isOver, type RedriveStep } from '../domain/redrive.ts';
import type { Redrives } from '../platform/temporal/redrives.ts';
import type { OperationDeps } from './deps.ts';
import { writeOrFind } from './look-up.ts';

type RedriveDeps = Pick<OperationDeps, 'database' | 'redrives' | 'log'>;

/**
 * Records which failed turns will be replayed, and starts the workflow that replays them.
 * @returns the plan alone when there is nothing to do.
 * @throws AppError confirm_required with the plan; unavailable with `redriveId`, `count` and `bound: true` when its
 *   workflow did not start: it stands in PostgreSQL, and resuming it starts it, or reconcile; idempotency_conflict.
 */
export async function startRedrive(
  deps: RedriveDeps,
  wanted: StartRedrive,
): Promise<{ redriveId: string; count: number } | { redriveId: null; plan: RedrivePlan }> {
  const created = await create(deps, wanted);
  if (created.redriveId === null) return created;
  const { redriveId } = created;
  const { count } = created.plan;
  try {
    const redrive = await getRedrive(deps.database.sql, redriveId);
    // Whoever asked first may have died before the start. One that runs is not started twice.
    if (!created.repeated || !isOver(redrive.progress)) await deps.redrives.start(redrive);
  } catch (cause) {
    throw new AppError('unavailable', { retryAfter: 5, redriveId, count, bound: true }, { cause });
  }
  return { redriveId, count };
}

function create({ database }: RedriveDeps, wanted: StartRedrive): Promise<CreatedRedrive> {
  return writeOrFind<CreatedRedrive>(
    () => createRedrive(database, wanted),
    async ({ redriveId }) => {
      const found = redriveId === undefined ? null : await findRedrive(database.sql, redriveId);
      if (found === null) return null;
      return { redriveId: found.redriveId, plan: { count: countTurns(found.progress) }, repeated: false };
    },
  );
}

/**
 * Starts the workflows of redrives that stand in PostgreSQL and nowhere else: the answer of the COMMIT that created one
 * was lost, its start was, or Temporal's data. Each goes on where its row says.
 * @returns how many.
 */
export async function startLostRedrives(
  { database, redrives }: { database: Database; redrives: Pick<Redrives, 'start' | 'isOpen'> },
  limits: { quietMs: number },
): Promise<number> {
  let started = 0;
  for (const redrive of await findUnfinishedRedrives(database.sql, limits)) {
    if (await redrives.isOpen(redrive.redriveId)) continue;
    await redrives.start(redrive);
    started += 1;
  }
  return started;
}

/**
 * Pauses, resumes or cancels a redrive; one that is over stays as it is. Its workflow reads the row every second, or
 * every minute while paused, so one that is not told now follows then.
 * @throws AppError not_found.
 */
export async function stepRedrive(
  { database, redrives, log }: RedriveDeps,
  wanted: { redriveId: string; to: RedriveStep; actor: AuditActor; reason: string | null },
): Promise<RedriveRecord> {
  const { redriveId, to } = wanted;
  const state = await moveRedrive(database, wanted);
  const record = await getRedrive(database.sql, redriveId);
  if (!isOver({ state }))
    await redrives
      .signal(record, to)
      .catch((error: unknown) => log.warn({ redriveId, reason: String(error) }, 'a redrive’s workflow was not told'));
  return record;
}
