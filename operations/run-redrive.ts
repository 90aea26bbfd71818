import {
  createRedrive,
  getRedrive,
  moveRedrive,
  type RedrivePlan,
  type RedriveRecord,
  type StartRedrive,
} from '../db/redrives/redrives.ts';
import type { AuditActor } from '../domain/audit.ts';
import { AppError } from '../domain/errors.ts';
import { isOver, type RedriveStep } from '../domain/redrive.ts';
import type { OperationDeps } from './deps.ts';

type RedriveDeps = Pick<OperationDeps, 'database' | 'redrives' | 'log'>;

/**
 * Records which failed turns will be replayed, and starts the workflow that replays them.
 * @returns `redriveId` null when there is nothing to do.
 * @throws AppError confirm_required with the plan; unavailable with `redriveId` and `count` when its workflow did not
 *   start: the redrive is in PostgreSQL, and resuming it starts it.
 */
export async function startRedrive(
  { database, redrives }: RedriveDeps,
  wanted: StartRedrive,
): Promise<{ redriveId: string | null; plan: RedrivePlan }> {
  const { redriveId, plan } = await createRedrive(database, wanted);
  if (redriveId === null) return { redriveId, plan };
  await redrives.start(await getRedrive(database.sql, redriveId)).catch((cause: unknown) => {
    throw new AppError('unavailable', { retryAfter: 5, redriveId, count: plan.count }, { cause });
  });
  return { redriveId, plan };
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
