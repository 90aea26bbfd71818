import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Button } from '../../ui/Button.tsx';
import { Loading } from '../../ui/Loading.tsx';
import { Notice } from '../../ui/Notice.tsx';
import { Problem } from '../../ui/Problem.tsx';
import { useFigures } from '../../usage/figures.ts';
import type { Pack } from '../queries.ts';
import { useMoney } from '../use-money.ts';
import { topUpQuery, useSetTopUp, type AutoTopUp } from './queries.ts';
import { TopUpForm } from './TopUpForm.tsx';

/** What is bought when tokens run low: what was chosen, whether it works, and the form that changes it. */
export function TopUp({ packs }: { packs: readonly Pack[] }) {
  const { t } = useTranslation('purchase');
  const topUp = useQuery(topUpQuery);
  // Whoever comes back from giving a card goes on where they were.
  const [isOpen, setOpen] = useState(() => new URLSearchParams(location.search).has('card'));
  if (topUp.data?.ways.length === 0) return null;
  return (
    <section aria-labelledby="top-up" className="grid gap-3">
      <h2 id="top-up" className="font-semibold">
        {t('topUp.title')}
      </h2>
      {topUp.isPending && <Loading />}
      {topUp.isError && <Problem error={topUp.error} onRetry={() => void topUp.refetch()} />}
      {topUp.data !== undefined && (
        <>
          <Now topUp={topUp.data} packs={packs} />
          {isOpen ? (
            <TopUpForm topUp={topUp.data} packs={packs} onDone={() => setOpen(false)} />
          ) : (
            <Choices topUp={topUp.data} onChange={() => setOpen(true)} />
          )}
        </>
      )}
    </section>
  );
}

/** In one sentence, with what is wrong. */
function Now({ topUp, packs }: { topUp: AutoTopUp; packs: readonly Pack[] }) {
  const { t } = useTranslation('purchase');
  const { tokens, moment } = useFigures();
  const money = useMoney();
  const { state, way, packId, belowTokens, monthlyLimit, currency, spentThisMonth, nextTryAt, pausedBecause } = topUp;
  if (state === 'off' || belowTokens === null)
    return <p className="text-sm text-soft">{t(topUp.ways.includes('charge') ? 'topUp.lead' : 'topUp.leadRemind')}</p>;
  const pack = packs.find((known) => known.packId === packId);
  const below = tokens(belowTokens);
  const name = pack?.name ?? packId ?? '';
  return (
    <div role="status" className="grid gap-3" data-testid="top-up" data-state={state}>
      {pausedBecause !== null && (
        <Notice tone="warn">
          <b className="block font-semibold">{t('topUp.paused')}</b>
          {t(`topUp.why.${pausedBecause}`)}
        </Notice>
      )}
      {nextTryAt !== null && <Notice tone="warn">{t('topUp.declined', { at: moment(nextTryAt) })}</Notice>}
      {state === 'on' && way === 'remind' && <p className="text-sm">{t('topUp.onRemind', { below, name })}</p>}
      {state === 'on' && way === 'charge' && currency !== null && monthlyLimit !== null && (
        <p className="text-sm">
          {t('topUp.on', { below, name })}{' '}
          <span className="text-soft">
            {t('topUp.spent', {
              spent: money({ amount: spentThisMonth, currency }),
              limit: money({ amount: monthlyLimit, currency }),
            })}
          </span>
        </p>
      )}
    </div>
  );
}

function Choices({ topUp, onChange }: { topUp: AutoTopUp; onChange: () => void }) {
  const { t } = useTranslation('purchase');
  const set = useSetTopUp();
  return (
    <div className="grid gap-3">
      <div className="flex flex-wrap gap-2">
        <Button onClick={onChange}>{t(topUp.state === 'off' ? 'topUp.setUp' : 'topUp.change')}</Button>
        {topUp.state !== 'off' && (
          <Button disabled={set.isPending} onClick={() => set.mutate({ enabled: false })}>
            {t('topUp.off')}
          </Button>
        )}
      </div>
      {set.isError && <Problem error={set.error} />}
    </div>
  );
}
