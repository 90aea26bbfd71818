import { useQuery } from '@tanstack/react-query';
import { useEffect } from 'react';
import { useTranslation } from 'react-i18next';
import { Loading } from '../ui/Loading.tsx';
import { Notice } from '../ui/Notice.tsx';
import { Page } from '../ui/Page.tsx';
import { Problem } from '../ui/Problem.tsx';
import { useBuyPlace } from '../usage/buy-place.ts';
import { useFigures } from '../usage/figures.ts';
import { SHOP } from '../usage/own-shop.ts';
import { useLeft } from '../usage/use-left.ts';
import { useUsage } from '../usage/use-usage.ts';
import { BuyForm } from './BuyForm.tsx';
import { PurchaseList } from './PurchaseList.tsx';
import { packsQuery } from './queries.ts';
import { RedeemForm } from './redeem/RedeemForm.tsx';
import { TopUp } from './top-up/TopUp.tsx';
import { isPaymentDocument, leavePaymentDocument } from './toss/payment-document.ts';

/** Where tokens are bought: packs, ways to pay, the rules, and what was bought before. */
export function ShopPage() {
  const { t } = useTranslation('purchase');
  const packs = useQuery(packsQuery);
  // This page is what every other button to buy leads to.
  useBuyPlace('page');
  const sellsByToss = packs.data?.items.some(({ providers }) => providers.includes('toss')) === true;
  useEffect(() => {
    if (!sellsByToss || !isPaymentDocument()) return;
    return () => {
      if (location.pathname !== SHOP) leavePaymentDocument();
    };
  }, [sellsByToss]);
  return (
    <Page title={t('title')}>
      <div className="grid grid-cols-1 gap-8">
        <Left />
        {packs.isPending && <Loading />}
        {packs.isError && <Problem error={packs.error} onRetry={() => void packs.refetch()} />}
        {packs.data?.items.length === 0 && <Notice tone="info">{t('nothingSold')}</Notice>}
        {packs.data !== undefined && packs.data.items.length > 0 && (
          <>
            <BuyForm packs={packs.data.items} />
            <Rules />
            <TopUp packs={packs.data.items} />
          </>
        )}
        <RedeemForm />
        <PurchaseList />
      </div>
    </Page>
  );
}

/** What is left now, so that nobody buys without knowing. */
function Left() {
  const { t } = useTranslation('usage');
  const { tokens, moment, until } = useFigures();
  const left = useLeft();
  const { data: usage } = useUsage();
  if (usage === undefined) return null;
  return (
    <p className="text-sm text-soft">
      <b className="font-semibold text-ink">{left(usage)}</b> · {t('leftOf', { tokens: tokens(usage.remainingTokens) })}{' '}
      · {`${t('resetsShort', { at: moment(usage.resetsAt) })} (${until(usage.resetsAt)})`}
    </p>
  );
}

const RULES = ['lasts', 'order', 'refund', 'estimate'] as const;

function Rules() {
  const { t } = useTranslation('purchase');
  return (
    <section aria-labelledby="rules">
      <h2 id="rules" className="mb-2 font-semibold">
        {t('rules.title')}
      </h2>
      <ul className="grid list-disc gap-1.5 pl-5 text-sm text-soft">
        {RULES.map((rule) => (
          <li key={rule}>{t(`rules.${rule}`)}</li>
        ))}
      </ul>
    </section>
  );
}
