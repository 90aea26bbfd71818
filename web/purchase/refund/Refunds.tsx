import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { answer } from '../../api/answer.ts';
import { api } from '../../api/client.ts';
import { newKey } from '../../api/new-key.ts';
import { Button } from '../../ui/Button.tsx';
import { ConfirmDialog } from '../../ui/dialog/ConfirmDialog.tsx';
import { useFigures } from '../../usage/figures.ts';
import { purchasesKey, type PurchaseDetail } from '../queries.ts';
import { useMoney } from '../use-money.ts';
import { accountOf, NO_ACCOUNT, RefundAccountFields } from './RefundAccountFields.tsx';

/** What was given back of a purchase, and what still can be. */
export function Refunds({ purchase }: { purchase: PurchaseDetail }) {
  const { t } = useTranslation('purchase');
  const { moment } = useFigures();
  const money = useMoney();
  const { refunds, refundable, currency } = purchase;
  const heading = useRef<HTMLHeadingElement>(null);
  if (refunds.length === 0 && refundable.amount === 0) return null;
  return (
    <section aria-labelledby="refunds" className="grid gap-3">
      <h2 ref={heading} id="refunds" tabIndex={-1} className="font-semibold outline-none">
        {t('refund.title')}
      </h2>
      <ul className="divide-y divide-line rounded-xl border border-line bg-raised text-sm empty:hidden">
        {refunds.map((refund) => (
          <li key={refund.refundId} className="flex flex-wrap items-center gap-x-4 gap-y-1 px-4 py-3">
            <span className="font-medium tabular-nums">{money({ amount: refund.amount, currency })}</span>
            <span>{t(`refund.stateOf.${refund.state}`)}</span>
            {refund.failure !== null && <span className="text-bad">{t(`refund.failureOf.${refund.failure}`)}</span>}
            <span className="ml-auto text-xs text-faint">{moment(refund.createdAt)}</span>
          </li>
        ))}
      </ul>
      {refundable.amount > 0 && <AskRefund purchase={purchase} onAsked={() => heading.current?.focus()} />}
    </section>
  );
}

/**
 * Says exactly what comes back before it is asked: the request names the tokens that were shown, so that when some were
 * spent meanwhile it is refused and the new figures show.
 * @param onAsked called when the dialog has left after a refund: the button to it may be about to leave, too.
 */
function AskRefund({ purchase, onAsked }: { purchase: PurchaseDetail; onAsked: () => void }) {
  const { t } = useTranslation('purchase');
  const { tokens } = useFigures();
  const money = useMoney();
  const queries = useQueryClient();
  const [open, setOpen] = useState(false);
  const [key, setKey] = useState(newKey);
  const [account, setAccount] = useState(NO_ACCOUNT);
  const asked = useRef(false);
  const { purchaseId, refundable, currency, asksForRefundAccount: asks, refundBanks } = purchase;
  const ask = useMutation({
    mutationFn: () =>
      answer(
        api.POST('/api/purchases/{purchaseId}/refunds', {
          params: { path: { purchaseId }, header: { 'Idempotency-Key': key } },
          body: { tokens: refundable.tokens, ...(asks ? { refundAccount: accountOf(account) } : {}) },
        }),
      ),
    onSuccess: () => {
      setOpen(false);
      setKey(newKey());
      setAccount(NO_ACCOUNT);
    },
    onSettled: () => queries.invalidateQueries({ queryKey: purchasesKey }),
  });
  const figures = {
    tokens: tokens(refundable.tokens),
    money: money({ amount: refundable.amount, currency }),
  };
  return (
    <div className="flex flex-wrap items-center justify-between gap-3 rounded-xl border border-line bg-raised px-4 py-3">
      <p className="text-sm">{t('refund.can', figures)}</p>
      <ConfirmDialog
        open={open}
        onOpenChange={(opens) => {
          setOpen(opens);
          asked.current = false;
          ask.reset();
        }}
        trigger={<Button size="small">{t('refund.open')}</Button>}
        title={t('refund.askTitle', figures)}
        lead={t(asks ? 'refund.askTextDeposit' : 'refund.askText', figures)}
        keep={t('refund.keep')}
        act={t('refund.now', figures)}
        doing={ask}
        toOpener={(event) => {
          if (!asked.current) return;
          event.preventDefault();
          onAsked();
        }}
        onConfirm={() => {
          // The page may hear of the refund before the answer comes: then this is gone with what could be refunded.
          asked.current = true;
          ask.mutate();
        }}
      >
        {asks && <RefundAccountFields banks={refundBanks} value={account} onChange={setAccount} />}
      </ConfirmDialog>
    </div>
  );
}
