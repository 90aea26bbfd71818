import { findLostTopUps } from '../../db/top-ups/end.ts';
import { isTopUpDue } from '../../db/money/usage.ts';
import type { OperationDeps } from '../deps.ts';
import type { PaymentDeps } from '../payments.ts';

const AT_A_TIME = 500;

type StartDeps = Pick<OperationDeps, 'database' | 'log'> & Pick<PaymentDeps, 'paymentRuns'>;
type Account = { readonly accountId: number; readonly userId: number };

/** Starts it right after the write that has left too few tokens. Nobody waits; reconcile finds what was missed. */
export function startTopUp({ paymentRuns, log }: Pick<StartDeps, 'paymentRuns' | 'log'>, account: Account): void {
  paymentRuns
    .startTopUp(account)
    .catch((error: unknown) => log.warn({ ...account, reason: String(error) }, 'an auto top-up was not started'));
}

/** After a write outside a turn. */
export async function startTopUpIfDue(deps: StartDeps, account: Account): Promise<void> {
  if (await isTopUpDue(deps.database.sql, account.accountId)) startTopUp(deps, account);
}

/**
 * Starts the auto top-ups that are due and nowhere but in PostgreSQL: a start was lost, or Temporal's data.
 * @param limits.quietMs how long a payment may be undecided before anybody asks for its workflow.
 * @returns how many.
 */
export async function startLostTopUps(
  { database, paymentRuns }: Omit<StartDeps, 'log'>,
  { quietMs }: { quietMs: number },
): Promise<number> {
  let started = 0;
  for (const account of await findLostTopUps(database.sql, { quietMs, limit: AT_A_TIME })) {
    if (await paymentRuns.isToppingUp(account.accountId)) continue;
    await paymentRuns.startTopUp(account);
    started += 1;
  }
  return started;
}
