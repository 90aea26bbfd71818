import { sql } from 'kysely';
import { AppError } from '../../domain/errors.ts';
import { meter } from '../../domain/metering.ts';
import { neededSchedules, schedulesToArm, type ScheduleKind } from '../../domain/schedules.ts';
import { isAnswered, type TurnRecord } from '../../domain/turn.ts';
import { decideWarning, describeUsage } from '../../domain/usage-state.ts';
import type { StoredAnswer } from '../../workflows/contract/turn.ts';
import { reportEnding, type Database } from '../database.ts';
import { openAccount } from '../money/accounts.ts';
import { findPendingHold, movedHold } from '../money/holds.ts';
import { bookDebit } from '../money/ledger.ts';
import type { LockedAccount } from '../money/locked-account.ts';
import { findPayerBeforeSettle, isBelow, recentAfterSettle, type TopUpThreshold } from '../money/usage.ts';
import { lockingTurn } from './payer.ts';
import { lockTurn, recordOf } from './row.ts';

export interface Settled {
  readonly state: 'completed' | 'stopped';
  /** Schedules that the account needs now and has not armed. Absent when there are none. */
  readonly arm?: readonly ScheduleKind[];
  /** Whose tokens are to be topped up now; null: nobody's. */
  readonly topUp: TopUpOf | null;
  /** As it was committed, for whoever waits in this process. It holds chat text. */
  readonly turn: TurnRecord;
}

export interface TopUpOf {
  readonly accountId: number;
  readonly userId: number;
}

/**
 * Books what a stored answer used, once: debit (unique by turn), balances, hold settled, turn final, in one
 * transaction. A second settle, from whatever path, books nothing and returns the first one's result (G8). The debit is
 * booked in the period that is open now.
 */
export async function settleTurn(
  database: Database,
  { turnId, answer }: { turnId: string; answer: StoredAnswer },
): Promise<Settled> {
  return lockingTurn(database, { turnId, isPatient: true }, async (tx) => {
    const [row, hold, payer] = await Promise.all([
      lockTurn(tx, turnId),
      findPendingHold(tx, turnId),
      findPayerBeforeSettle(tx, turnId),
    ]);
    if (row === null || payer === null) throw new AppError('not_found');
    const account = await openAccount(tx, payer);
    // The schedules are returned again, too: the worker that booked the debit may have died before they were armed.
    if (isAnswered(row.state))
      return { state: row.state, ...toArm(account), topUp: topUpOf(account, payer), turn: recordOf(row) };
    if (row.state !== 'running' || row.answerAttempt !== answer.attempt || hold === null) {
      throw new Error(
        `turn ${turnId} cannot settle: ${row.state}, answer of attempt ${row.answerAttempt ?? 'none'}, hold ${hold?.state ?? 'gone'}`,
      );
    }
    const metered = meter(answer, hold.rate);
    // Our own count never charges more than admission set aside. A provider's figure is recorded whole and flagged.
    const tokens = answer.estimated ? Math.min(metered, hold.tokens) : metered;
    // A usage of nothing (some gateways report 0 and 0) books nothing: an entry of 0 is refused, and the turn must not
    // wait for ever.
    const balance =
      tokens === 0
        ? account.balance
        : bookDebit(tx, account, {
            turnId,
            holdId: hold.id,
            rateId: hold.rateId,
            usage: answer,
            tokens,
            heldTokens: hold.tokens,
            estimated: answer.estimated,
          });
    const warning = decideWarning(
      describeUsage({ period: account.period, balance, ...recentAfterSettle(payer, tokens) }),
    );
    tx.write(sql`with settled as (${movedHold(hold.id, 'settled')})
      update turns set state = ${answer.outcome}, debited_tokens = ${tokens}, warning = ${warning === null ? null : JSON.stringify(warning)},
        ended_at = now(), touched_at = clock_timestamp() where id = ${turnId}`);
    reportEnding(tx, { turnId, outcome: answer.outcome, code: null, model: row.model, debitedTokens: tokens });
    const after = { ...account, balance };
    const written = { ...row, state: answer.outcome, debitedTokens: tokens, warning, endedAt: row.begunAt };
    return { state: answer.outcome, ...toArm(after), topUp: topUpOf(after, payer), turn: recordOf(written) };
  });
}

function topUpOf({ accountId, userId, balance }: LockedAccount, threshold: TopUpThreshold): TopUpOf | null {
  return isBelow(balance, threshold) ? { accountId, userId } : null;
}

function toArm({ balance, armed }: Pick<LockedAccount, 'balance' | 'armed'>): Pick<Settled, 'arm'> {
  const arm = schedulesToArm(neededSchedules(balance), armed);
  return arm.length === 0 ? {} : { arm };
}
