import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState, type FormEvent } from 'react';
import { useTranslation } from 'react-i18next';
import { answer } from '../../api/answer.ts';
import { api } from '../../api/client.ts';
import { newKey } from '../../api/new-key.ts';
import type { Schemas } from '../../api/schemas.ts';
import { accountOf, NO_ACCOUNT, RefundAccountFields } from '../../purchase/refund/RefundAccountFields.tsx';
import { useMoney } from '../../purchase/use-money.ts';
import { Button } from '../../ui/Button.tsx';
import { Problem } from '../../ui/Problem.tsx';
import { ReasonField, WholeNumberField } from '../Fields.tsx';

/** Gives money back, once: every sending has the form's key until the refund is booked. */
export function RefundForm({ purchase }: { purchase: Schemas['AdminPurchaseDetail'] }) {
  const { t } = useTranslation('admin');
  const money = useMoney();
  const queries = useQueryClient();
  const { purchaseId, keptAmount, currency, asksForRefundAccount: asks, refundBanks } = purchase;
  const [amount, setAmount] = useState(String(keptAmount));
  const [reason, setReason] = useState('');
  const [account, setAccount] = useState(NO_ACCOUNT);
  const [key, setKey] = useState(newKey);
  const refund = useMutation({
    mutationFn: () =>
      answer(
        api.POST('/api/admin/purchases/{purchaseId}/refunds', {
          params: { path: { purchaseId }, header: { 'Idempotency-Key': key } },
          body: { amount: Number(amount), reason, ...(asks ? { refundAccount: accountOf(account) } : {}) },
        }),
      ),
    onSuccess: () => {
      setKey(newKey());
      setReason('');
      setAccount(NO_ACCOUNT);
      return queries.invalidateQueries({ queryKey: ['admin'] });
    },
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    refund.mutate();
  };
  return (
    <form
      onSubmit={submit}
      aria-label={t('purchases.refund')}
      className="grid max-w-md gap-3 rounded-xl border border-line bg-raised p-5"
    >
      <h3 className="font-semibold">{t('purchases.refund')}</h3>
      <p className="text-sm text-soft">{t('purchases.refundLead')}</p>
      <WholeNumberField
        label={t('purchases.refundAmount', { most: money({ amount: keptAmount, currency }) })}
        most={keptAmount}
        value={amount}
        onChange={setAmount}
      />
      <ReasonField value={reason} onChange={setReason} />
      {asks && <RefundAccountFields banks={refundBanks} value={account} onChange={setAccount} />}
      {refund.isError && <Problem error={refund.error} />}
      <Button type="submit" look="danger" disabled={refund.isPending}>
        {t('purchases.refundNow', { money: money({ amount: Number(amount) || 0, currency }) })}
      </Button>
    </form>
  );
}
