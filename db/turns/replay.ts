import type { AuditActor } from '../../domain/audit.ts';
import { AppError } from '../../domain/errors.ts';
import type { TurnRecord } from '../../domain/turn.ts';
import { writeAudit } from '../audit.ts';
import type { Database } from '../database.ts';
import { naming } from '../driver/outcome.ts';
import { lockingTurn } from './payer.ts';
import { lockTurn } from './row.ts';
import { reopenLocked } from './turns.ts';

/**
 * Reopens one failed turn for an admin: failed → accepted by compare-and-set, so that two replays at once start one
 * run. The caller starts the run.
 * @throws AppError not_found, turn_erased, turn_not_failed (for a refused turn, too: its person sends it again),
 *   account_suspended, conversation_busy. OutcomeUnknown as `reopenTurn`.
 */
export async function replayTurn(
  database: Database,
  { turnId, reason, actor }: { turnId: string; reason: string; actor: AuditActor },
): Promise<TurnRecord> {
  return naming({ turnId }, () =>
    lockingTurn(database, { turnId }, async (tx) => {
      const row = await lockTurn(tx, turnId);
      if (row === null) throw new AppError('not_found');
      const reopened = await reopenLocked(tx, row, 'replay');
      await writeAudit(tx, {
        actor,
        action: 'turn.replay',
        target: `turn:${turnId}`,
        reason,
        before: { state: row.state, code: row.errorCode },
        after: { state: reopened.state },
      });
      return reopened;
    }),
  );
}
