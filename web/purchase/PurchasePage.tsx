import { useQuery, useQueryClient } from '@tanstack/react-query';
import { CircleAlert, CircleCheck, CircleSlash, Hourglass, Info, TriangleAlert, type LucideIcon } from 'lucide-react';
import { useEffect, type ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { Link } from 'wouter';
import { ApiError } from '../api/api-error.ts';
import { buttonClass } from '../ui/Button.tsx';
import { Loading } from '../ui/Loading.tsx';
import { NotFound } from '../ui/NotFound.tsx';
import { Page } from '../ui/Page.tsx';
import { Problem } from '../ui/Problem.tsx';
import { useBuyPlace } from '../usage/buy-place.ts';
import { useFigures } from '../usage/figures.ts';
import { placeBefore, SHOP } from '../usage/own-shop.ts';
import { useUsage } from '../usage/use-usage.ts';
import { Deposit } from './Deposit.tsx';
import { PurchaseFacts } from './PurchaseFacts.tsx';
import { purchaseQuery, purchasesKey, type PurchaseDetail, type PurchaseState } from './queries.ts';
import { Refunds } from './refund/Refunds.tsx';
import { useTossReturn, type TossReturn } from './toss/use-toss-return.ts';

/** One purchase: how far it has come, and what can be done about it. It waits for what is still to come. */
export function PurchasePage({ purchaseId }: { purchaseId: string }) {
  const { t } = useTranslation('purchase');
  const purchase = useQuery(purchaseQuery(purchaseId));
  const queries = useQueryClient();
  // Tokens that come or go are told by the account's feed, before the next asking.
  const tokens = useUsage().data?.purchasedTokens;
  useEffect(() => {
    if (tokens !== undefined) void queries.invalidateQueries({ queryKey: purchasesKey });
  }, [tokens, queries]);
  useBuyPlace('page');
  const back = useTossReturn(purchaseId);
  if (purchase.error instanceof ApiError && ['not_found', 'invalid_request'].includes(purchase.error.code))
    return <NotFound />;
  return (
    <Page title={t('one')}>
      {purchase.isPending && <Loading />}
      {purchase.isError && <Problem error={purchase.error} onRetry={() => void purchase.refetch()} />}
      {purchase.data !== undefined && (
        <div className="grid grid-cols-1 gap-6">
          {back.error !== null && <Problem error={back.error} onRetry={back.again} />}
          <Progress purchase={purchase.data} back={back.state} />
          <PurchaseFacts purchase={purchase.data} />
          <Refunds purchase={purchase.data} />
          <p>
            <Link href={SHOP} className="rounded text-sm text-accent hover:underline">
              {t('all')}
            </Link>
          </p>
        </div>
      )}
    </Page>
  );
}

const LOOK = {
  created: { icon: Hourglass, ink: 'text-accent', tint: 'bg-accent-tint' },
  pending: { icon: Hourglass, ink: 'text-accent', tint: 'bg-accent-tint' },
  awaiting_deposit: { icon: Hourglass, ink: 'text-accent', tint: 'bg-accent-tint' },
  paid: { icon: CircleCheck, ink: 'text-good', tint: 'bg-good-tint' },
  partially_refunded: { icon: CircleCheck, ink: 'text-good', tint: 'bg-good-tint' },
  refunded: { icon: Info, ink: 'text-ink', tint: 'bg-panel' },
  disputed: { icon: TriangleAlert, ink: 'text-warn', tint: 'bg-warn-tint' },
  failed: { icon: CircleAlert, ink: 'text-bad', tint: 'bg-bad-tint' },
  expired: { icon: CircleSlash, ink: 'text-ink', tint: 'bg-panel' },
  mismatch: { icon: TriangleAlert, ink: 'text-warn', tint: 'bg-warn-tint' },
} as const satisfies Record<PurchaseState, { icon: LucideIcon; ink: string; tint: string }>;

function Progress({ purchase, back }: { purchase: PurchaseDetail; back: TossReturn['state'] }) {
  const { t } = useTranslation('purchase');
  const { tokens } = useFigures();
  const { failure } = purchase;
  // The provider does not tell of a window that was closed; the browser does, as long as nothing else is known.
  const isLeft = purchase.state === 'created' && (back === 'closed' || back === 'refused');
  const state = purchase.state === 'created' && back === 'confirming' ? 'pending' : purchase.state;
  const { icon: Icon, ink, tint } = LOOK[isLeft ? 'failed' : state];
  const figures = { tokens: tokens(purchase.tokens + purchase.bonusTokens) };
  return (
    <section
      aria-label={t('progressLabel')}
      aria-live="polite"
      data-testid="purchase"
      data-state={state}
      className={`grid gap-4 rounded-xl p-5 ${tint}`}
    >
      <div className={`flex items-start gap-3 ${ink}`}>
        <Icon aria-hidden className="mt-0.5 size-6 shrink-0" />
        <div>
          <h2 className="text-lg font-semibold">{t(`progress.${isLeft ? 'failed' : state}.title`, figures)}</h2>
          <p className="mt-1 text-sm text-ink">
            {isLeft && t(`failure.${back === 'closed' ? 'cancelled' : 'declined'}`)}
            {!isLeft &&
              (state === 'failed' && failure !== null ? t(`failure.${failure}`) : t(`progress.${state}.text`, figures))}
          </p>
        </div>
      </div>
      {state === 'awaiting_deposit' && <Deposit purchase={purchase} />}
      <Next state={isLeft ? 'failed' : state} />
    </section>
  );
}

/** What to do next, as a button. */
function Next({ state }: { state: PurchaseState }): ReactNode {
  const { t } = useTranslation('purchase');
  if (state === 'paid' || state === 'partially_refunded')
    return (
      <Link href={placeBefore()} className={buttonClass({ look: 'primary' }, 'hover:bg-accent-press sm:w-fit')}>
        {t('goOn')}
      </Link>
    );
  if (state === 'failed' || state === 'expired')
    return (
      <Link href={SHOP} className={buttonClass({ look: 'primary' }, 'hover:bg-accent-press sm:w-fit')}>
        {t('buyAgain')}
      </Link>
    );
  return null;
}
