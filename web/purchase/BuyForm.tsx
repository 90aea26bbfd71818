import { useMutation } from '@tanstack/react-query';
import { useEffect, useState, type FormEvent, type ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { Button } from '../ui/Button.tsx';
import { Notice } from '../ui/Notice.tsx';
import { Problem } from '../ui/Problem.tsx';
import { useFigures } from '../usage/figures.ts';
import { startPurchase } from './start-purchase.ts';
import type { Pack } from './queries.ts';
import { WindowFailed } from './toss/open-window.ts';
import { useMoney } from './use-money.ts';
import { waysOf, type Way } from './ways.ts';
import { takeWaiting } from './wishes.ts';

/** A pack, a way to pay, and the button that leads to where the money is paid. */
export function BuyForm({ packs }: { packs: readonly Pack[] }) {
  const { t } = useTranslation('purchase');
  const money = useMoney();
  // What was chosen before the shop was loaded again for it.
  const [waiting] = useState(takeWaiting);
  // A reminder's link names its pack.
  const [packId, setPackId] = useState(waiting?.packId ?? new URLSearchParams(location.search).get('pack'));
  const [chosen, setChosen] = useState(waiting === null ? null : nameOf(waiting));
  const pack = packs.find((known) => known.packId === packId) ?? packs.find(isSold) ?? packs[0];
  const ways = pack === undefined ? [] : waysOf(pack);
  const way = ways.find((known) => nameOf(known) === chosen) ?? ways[0];
  const buy = useMutation({ mutationFn: startPurchase });
  const { mutate, reset } = buy;
  useEffect(() => {
    if (waiting !== null) mutate(waiting);
  }, [waiting, mutate]);
  // Whoever comes back by the browser's button finds the page as it was, and may press again.
  useEffect(() => {
    const show = ({ persisted }: PageTransitionEvent) => {
      if (persisted) reset();
    };
    addEventListener('pageshow', show);
    return () => removeEventListener('pageshow', show);
  }, [reset]);
  if (pack === undefined) return null;
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (way !== undefined) mutate({ packId: pack.packId, ...way });
  };
  // Once the way is known the browser is leaving; a second press would only open another purchase.
  const busy = buy.isPending || buy.isSuccess;
  return (
    <form onSubmit={submit} aria-label={t('title')} className="grid gap-6">
      <fieldset>
        <legend className="mb-2 font-semibold">{t('choosePack')}</legend>
        <div className="grid grid-cols-1 gap-3 sm:grid-cols-3">
          {packs.map((known) => (
            <PackChoice
              key={known.packId}
              pack={known}
              checked={known === pack}
              onChoose={() => setPackId(known.packId)}
            />
          ))}
        </div>
      </fieldset>
      {ways.length > 1 && (
        <fieldset>
          <legend className="mb-2 font-semibold">{t('chooseWay')}</legend>
          <div className="grid grid-cols-1 gap-2 sm:grid-cols-2">
            {ways.map((known) => (
              <Choice key={nameOf(known)} name="way" checked={known === way} onChoose={() => setChosen(nameOf(known))}>
                {t(`way.${nameOf(known)}` as 'way.demo')}
              </Choice>
            ))}
          </div>
        </fieldset>
      )}
      {way?.provider === 'demo' && <Notice tone="info">{t('demo')}</Notice>}
      {buy.error instanceof WindowFailed && <Notice tone="bad">{t('windowFailed')}</Notice>}
      {buy.isError && !(buy.error instanceof WindowFailed) && <Problem error={buy.error} />}
      <div>
        <Button type="submit" look="primary" disabled={busy || way === undefined} className="w-full sm:w-auto">
          {busy ? t('opening') : t('pay', { price: money(pack) })}
        </Button>
        <p className="mt-2 text-xs text-faint">{way === undefined ? t('notNow') : t('payHint')}</p>
      </div>
    </form>
  );
}

function PackChoice({ pack, checked, onChoose }: { pack: Pack; checked: boolean; onChoose: () => void }) {
  const { t } = useTranslation('purchase');
  const { tokens } = useFigures();
  const money = useMoney();
  const { taxAmount, bonusTokens, estimatedTurns } = pack;
  return (
    <Choice name="pack" checked={checked} onChoose={onChoose}>
      <span className="grid gap-1">
        <span className="font-semibold">{pack.name}</span>
        {bonusTokens > 0 && (
          <span className="text-sm font-medium text-good">{t('bonus', { tokens: tokens(bonusTokens) })}</span>
        )}
        <span className="text-lg font-semibold tabular-nums">{money(pack)}</span>
        {taxAmount !== null && (
          <span className="text-xs text-faint tabular-nums">
            {t('tax', {
              net: money({ ...pack, amount: pack.amount - taxAmount }),
              tax: money({ ...pack, amount: taxAmount }),
            })}
          </span>
        )}
        <span className="text-xs text-soft">{t('turns', { count: estimatedTurns, n: tokens(estimatedTurns) })}</span>
      </span>
    </Choice>
  );
}

function Choice({
  name,
  checked,
  onChoose,
  children,
}: {
  name: string;
  checked: boolean;
  onChoose: () => void;
  children: ReactNode;
}) {
  return (
    <label className="flex cursor-pointer items-start gap-2.5 rounded-xl border border-line bg-raised p-4 has-checked:border-accent has-checked:bg-accent-tint has-focus-visible:outline-2 has-focus-visible:outline-accent">
      <input type="radio" name={name} checked={checked} onChange={onChoose} className="mt-1 accent-accent-fill" />
      {children}
    </label>
  );
}

function isSold({ providers }: Pack): boolean {
  return providers.length > 0;
}

function nameOf({ provider, method }: Way): string {
  return method === null ? provider : `${provider}_${method}`;
}
