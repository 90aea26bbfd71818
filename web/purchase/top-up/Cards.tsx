import { useQuery } from '@tanstack/react-query';
import { useEffect } from 'react';
import { useTranslation } from 'react-i18next';
import { Button } from '../../ui/Button.tsx';
import { Loading } from '../../ui/Loading.tsx';
import { Problem } from '../../ui/Problem.tsx';
import { cardsQuery, useAddCard, useRemoveCard, type Card } from './queries.ts';

/** The cards that are kept: one is chosen, one can be added or removed. */
export function Cards({ chosen, onChoose }: { chosen: string | null; onChoose: (cardId: string | null) => void }) {
  const { t } = useTranslation('purchase');
  const cards = useQuery(cardsQuery);
  const add = useAddCard();
  const remove = useRemoveCard();
  const items = cards.data?.items;
  const isKnown = items?.some(({ paymentMethodId }) => paymentMethodId === chosen) === true;
  const [newest] = items ?? [];
  useEffect(() => {
    if (items === undefined || isKnown) return;
    onChoose(newest?.paymentMethodId ?? null);
  }, [items, isKnown, newest, onChoose]);
  return (
    <fieldset className="grid gap-2">
      <legend className="mb-2 text-sm text-soft">{t('topUp.cards')}</legend>
      {cards.isPending && <Loading />}
      {cards.isError && <Problem error={cards.error} onRetry={() => void cards.refetch()} />}
      {items?.length === 0 && <p className="text-sm">{t('topUp.noCard')}</p>}
      {items?.map((card) => (
        <div key={card.paymentMethodId} className="flex flex-wrap items-center gap-x-3 gap-y-1">
          <label className="flex min-w-0 flex-1 items-center gap-2.5">
            <input
              type="radio"
              name="top-up-card"
              checked={card.paymentMethodId === chosen}
              onChange={() => onChoose(card.paymentMethodId)}
              className="accent-accent-fill"
            />
            <span className="min-w-0">
              {nameOf(card)}
              <span className="block text-xs text-faint">
                {t('topUp.expires', { month: card.expires })}
                {card.isRefused && <span className="text-bad"> · {t('topUp.refused')}</span>}
              </span>
            </span>
          </label>
          <Button
            size="small"
            disabled={remove.isPending}
            aria-label={t('topUp.removeCard', { card: nameOf(card) })}
            onClick={() => remove.mutate(card.paymentMethodId)}
          >
            {t('topUp.remove')}
          </Button>
        </div>
      ))}
      {remove.isError && <Problem error={remove.error} />}
      <div>
        <Button size="small" disabled={add.isPending || add.isSuccess} onClick={() => add.mutate()}>
          {add.isPending || add.isSuccess ? t('topUp.opening') : t('topUp.addCard')}
        </Button>
        <p className="mt-1 text-xs text-faint">{t('topUp.cardHint')}</p>
      </div>
      {add.isError && <Problem error={add.error} />}
    </fieldset>
  );
}

/** `VISA •••• 4242` */
function nameOf({ brand, last4 }: Card): string {
  return `${brand.replaceAll('_', ' ').toUpperCase()} •••• ${last4}`;
}
