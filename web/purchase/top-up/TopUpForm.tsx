import { useState, type FormEvent, type ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { Button } from '../../ui/Button.tsx';
import { Problem } from '../../ui/Problem.tsx';
import { useFigures } from '../../usage/figures.ts';
import type { Pack } from '../queries.ts';
import { useMoney } from '../use-money.ts';
import { Cards } from './Cards.tsx';
import { useSetTopUp, type AutoTopUp } from './queries.ts';

const FIELD = 'h-10 w-full min-w-0 rounded-lg border border-line bg-raised px-3 text-ink tabular-nums';

/** Chooses the way, the pack, the threshold, and for a card the limit of the month. */
export function TopUpForm({ topUp, packs, onDone }: { topUp: AutoTopUp; packs: readonly Pack[]; onDone: () => void }) {
  const { t } = useTranslation('purchase');
  const { tokens } = useFigures();
  const money = useMoney();
  const set = useSetTopUp();
  const [way, setWay] = useState(topUp.way ?? topUp.ways[0] ?? 'remind');
  const offered = packs.filter(({ providers }) => way === 'remind' || providers.includes('stripe'));
  const [packId, setPackId] = useState(topUp.packId);
  const pack = offered.find((known) => known.packId === packId) ?? offered[0];
  const [below, setBelow] = useState(topUp.belowTokens === null ? '' : String(topUp.belowTokens));
  const [limit, setLimit] = useState(() => limitOf(topUp));
  const [cardId, setCardId] = useState(topUp.paymentMethodId);
  if (pack === undefined) return null;
  const unit = pack.currency === 'USD' ? 100 : 1;
  // Without a choice: a fifth of the pack, and three packs a month.
  const belowTokens = below === '' ? Math.floor(pack.tokens / 5) : Number(below);
  const monthlyLimit = limit === '' ? pack.amount * 3 : Math.round(Number(limit) * unit);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    const chosen = { enabled: true, packId: pack.packId, belowTokens } as const;
    if (way === 'remind') set.mutate({ ...chosen, way }, { onSuccess: onDone });
    else if (cardId !== null)
      set.mutate({ ...chosen, way, monthlyLimit, paymentMethodId: cardId }, { onSuccess: onDone });
  };
  const figures = {
    below: tokens(belowTokens),
    price: money(pack),
    limit: money({ amount: monthlyLimit, currency: pack.currency }),
  };
  return (
    <form
      onSubmit={submit}
      aria-labelledby="top-up"
      className="grid grid-cols-1 gap-5 rounded-xl border border-line bg-raised p-5"
    >
      {topUp.ways.length > 1 && (
        <fieldset className="grid gap-2">
          <legend className="mb-2 text-sm text-soft">{t('topUp.way')}</legend>
          {topUp.ways.map((known) => (
            <label key={known} className="flex items-start gap-2.5">
              <input
                type="radio"
                name="top-up-way"
                checked={known === way}
                onChange={() => setWay(known)}
                className="mt-1 accent-accent-fill"
              />
              {t(`topUp.wayOf.${known}`)}
            </label>
          ))}
        </fieldset>
      )}
      <div className="grid grid-cols-1 gap-4 sm:grid-cols-2">
        <Field label={t('topUp.pack')}>
          <select value={pack.packId} onChange={({ target }) => setPackId(target.value)} className={FIELD}>
            {offered.map((known) => (
              <option key={known.packId} value={known.packId}>
                {`${known.name} · ${money(known)}`}
              </option>
            ))}
          </select>
        </Field>
        <Field label={t('topUp.below')} hint={t('topUp.belowHint', { most: tokens(pack.tokens - 1) })}>
          <input
            type="number"
            inputMode="numeric"
            min={1}
            max={pack.tokens - 1}
            step={1}
            value={below}
            placeholder={String(belowTokens)}
            onChange={({ target }) => setBelow(target.value)}
            className={FIELD}
          />
        </Field>
        {way === 'charge' && (
          <Field
            label={t('topUp.limit', { currency: t(`topUp.currency.${pack.currency}`) })}
            hint={t('topUp.limitHint')}
          >
            <input
              type="number"
              inputMode="decimal"
              min={pack.amount / unit}
              step={1 / unit}
              value={limit}
              placeholder={String(monthlyLimit / unit)}
              onChange={({ target }) => setLimit(target.value)}
              className={FIELD}
            />
          </Field>
        )}
      </div>
      {way === 'charge' && <Cards chosen={cardId} onChoose={setCardId} />}
      <p className="text-sm text-soft">{t(way === 'charge' ? 'topUp.agree' : 'topUp.agreeRemind', figures)}</p>
      {set.isError && <Problem error={set.error} />}
      <div className="flex flex-wrap gap-2">
        <Button type="submit" look="primary" disabled={set.isPending || (way === 'charge' && cardId === null)}>
          {t('topUp.turnOn')}
        </Button>
        <Button onClick={onDone}>{t('topUp.cancel')}</Button>
      </div>
    </form>
  );
}

function Field({ label, hint, children }: { label: string; hint?: string; children: ReactNode }) {
  return (
    <label className="grid min-w-0 content-start gap-1 text-sm text-soft">
      {label}
      {children}
      {hint !== undefined && <span className="text-xs text-faint">{hint}</span>}
    </label>
  );
}

function limitOf({ monthlyLimit, currency }: AutoTopUp): string {
  return monthlyLimit === null ? '' : String(monthlyLimit / (currency === 'USD' ? 100 : 1));
}
