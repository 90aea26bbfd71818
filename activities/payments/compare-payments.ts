import { ApplicationFailure, Context } from '@temporalio/activity';
import { forgetWebhooks } from '../../db/purchases/inbound.ts';
import { comparePayments } from '../../operations/payments/compare-payments.ts';
import { ProviderUnavailable } from '../../platform/payments/provider.ts';
import type { ComparisonActivities, ComparisonReport } from '../../workflows/contract/payments.ts';
import type { ActivityDeps } from '../deps.ts';

/**
 * Compares all providers. One that is away keeps none of the others from being compared, and is tried again. On the way
 * it forgets webhooks of long ago.
 */
export function createComparePayments(deps: ActivityDeps): ComparisonActivities['comparePayments'] {
  return async ({ comparison }) => {
    if (comparison === 'daily') await forgetWebhooks(deps.database.sql, { onStep: goOn });
    const report = { providers: 0, listed: 0, converged: 0, mismatches: 0, unmatched: 0, missing: 0 };
    const away: string[] = [];
    for (const provider of deps.shop.providers) {
      try {
        const compared = await comparePayments(deps, { provider, comparison, onStep: goOn });
        deps.metrics.paymentsCompared(provider.name, compared);
        report.providers += 1;
        for (const [what, count] of Object.entries(compared)) report[what as keyof ComparisonReport] += count;
      } catch (error) {
        if (!(error instanceof ProviderUnavailable)) throw error;
        deps.log.warn({ provider: provider.name, reason: error.message }, 'payments could not be compared');
        away.push(provider.name);
      }
    }
    if (away.length > 0)
      throw ApplicationFailure.retryable(
        `the payment provider did not answer: ${away.join(', ')}`,
        'ProviderUnavailable',
      );
    return report;
  };
}

/** @throws when the next attempt has begun, or the worker shuts down. */
function goOn(): void {
  const context = Context.current();
  context.cancellationSignal.throwIfAborted();
  context.heartbeat();
}
