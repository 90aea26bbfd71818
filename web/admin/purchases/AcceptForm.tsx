import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState, type FormEvent } from 'react';
import { useTranslation } from 'react-i18next';
import { answer } from '../../api/answer.ts';
import { api } from '../../api/client.ts';
import type { Schemas } from '../../api/schemas.ts';
import { useMoney } from '../../purchase/use-money.ts';
import { Button } from '../../ui/Button.tsx';
import { Problem } from '../../ui/Problem.tsx';
import { useFigures } from '../../usage/figures.ts';
import { ReasonField } from '../Fields.tsx';

/** Takes what was paid for the price of a purchase that waits because of its amount. */
export function AcceptForm({ purchase, paid }: { purchase: Schemas['AdminPurchaseDetail']; paid: number }) {
  const { t } = useTranslation('admin');
  const { tokens } = useFigures();
  const money = useMoney();
  const queries = useQueryClient();
  const { purchaseId, currency } = purchase;
  const [reason, setReason] = useState('');
  const accept = useMutation({
    mutationFn: () =>
      answer(
        api.POST('/api/admin/purchases/{purchaseId}/grant-mismatch', {
          params: { path: { purchaseId } },
          body: { reason },
        }),
      ),
    onSettled: () => queries.invalidateQueries({ queryKey: ['admin'] }),
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    accept.mutate();
  };
  const figures = {
    paid: money({ amount: paid, currency }),
    price: money(purchase),
    tokens: tokens(purchase.tokens + purchase.bonusTokens),
  };
  return (
    <form
      onSubmit={submit}
      aria-label={t('purchases.accept')}
      className="grid max-w-md gap-3 rounded-xl border border-warn/30 bg-raised p-5"
    >
      <h2 className="font-semibold">{t('purchases.accept')}</h2>
      <p className="text-sm text-soft">{t('purchases.acceptLead', figures)}</p>
      <ReasonField value={reason} onChange={setReason} />
      {accept.isError && <Problem error={accept.error} />}
      <Button type="submit" look="primary" disabled={accept.isPending}>
        {t('purchases.acceptNow', figures)}
      </Button>
    </form>
  );
}
