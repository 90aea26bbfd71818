import {
  createResend,
  findResend,
  findUnfinishedResends,
  getResend,
  cancelResend,
  type CreatedResend,
  type ResendPlan,
  type ResendRecord,
  type StartResend,
} from '../../db/channels/resends.ts';
import type { Database } from '../../db/database.ts';
import type { AuditActor } from '../../domain/audit.ts';
import { AppError } from '../../domain/errors.ts';
import type { Resends } from '../../platform/temporal/resends.ts';
import { writeOrFind } from '../look-up.ts';

interface ResendDeps {
  readonly database: Database;
  readonly resends: Resends;
}

/**
 * Writes down which failed deliveries are sent once more, and starts the workflow that begins them.
 * @returns the plan alone when there is nothing to do.
 * @throws AppError confirm_required with the plan; unavailable with `resendId`, `count` and `bound: true` when its
 *   workflow did not start: reconcile starts it; idempotency_conflict.
 */
export async function startResend(
  { database, resends }: ResendDeps,
  wanted: StartResend,
): Promise<{ resendId: string; count: number } | { resendId: null; plan: ResendPlan }> {
  const created = await writeOrFind<CreatedResend>(
    () => createResend(database, wanted),
    async ({ resendId }) => {
      const found = resendId === undefined ? null : await findResend(database.sql, resendId);
      return found === null ? null : { resendId: found.resendId, count: countOf(found), repeated: false };
    },
  );
  if (created.resendId === null) return created;
  const { resendId, count, repeated } = created;
  try {
    const resend = await getResend(database.sql, resendId);
    // Whoever asked first may have died before the start.
    if (!repeated || resend.endedAt === null) await resends.start({ ...resend, count });
  } catch (cause) {
    throw new AppError('unavailable', { retryAfter: 5, resendId, count, bound: true }, { cause });
  }
  return { resendId, count };
}

/** All deliveries of a resend. */
export function countOf({
  waiting,
  sending,
  delivered,
  failed,
}: Pick<ResendRecord, 'waiting' | 'sending' | 'delivered' | 'failed'>): number {
  return waiting + sending + delivered + failed;
}

/** Begins nothing more; its workflow reads so within a second. @throws AppError not_found. */
export async function stopResend(
  { database }: Pick<ResendDeps, 'database'>,
  wanted: { resendId: string; actor: AuditActor; reason: string | null },
): Promise<ResendRecord> {
  await cancelResend(database, wanted);
  return getResend(database.sql, wanted.resendId);
}

/** Starts the workflows of resends that stand in PostgreSQL and nowhere else. @returns how many. */
export async function startLostResends(
  { database, resends }: ResendDeps,
  limits: { quietMs: number },
): Promise<number> {
  let started = 0;
  for (const resend of await findUnfinishedResends(database.sql, limits)) {
    if (await resends.isOpen(resend.resendId)) continue;
    await resends.start({ ...resend, count: countOf(resend) });
    started += 1;
  }
  return started;
}
