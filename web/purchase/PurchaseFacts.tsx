import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { Notice } from '../ui/Notice.tsx';
import { useFigures } from '../usage/figures.ts';
import type { PurchaseDetail } from './queries.ts';
import { Receipts } from './Receipts.tsx';
import { useMoney } from './use-money.ts';

/** What was bought, what it costs and who takes the money. */
export function PurchaseFacts({ purchase }: { purchase: PurchaseDetail }) {
  const { t } = useTranslation('purchase');
  const { tokens, moment } = useFigures();
  const money = useMoney();
  const { taxAmount, amount, bonusTokens, provider, method, paidAt } = purchase;
  const facts: readonly (readonly [string, ReactNode])[] = [
    [t('fact.pack'), purchase.name],
    [
      t('fact.tokens'),
      tokens(purchase.tokens) + (bonusTokens > 0 ? ` · ${t('bonus', { tokens: tokens(bonusTokens) })}` : ''),
    ],
    [t('fact.price'), money(purchase)],
    ...(taxAmount === null
      ? []
      : [
          [
            t('fact.tax'),
            t('tax', {
              net: money({ ...purchase, amount: amount - taxAmount }),
              tax: money({ ...purchase, amount: taxAmount }),
            }),
          ] as const,
        ]),
    [t('fact.by'), t(`provider.${provider}`) + (method === null ? '' : ` · ${t(`method.${method}`)}`)],
    [t('fact.made'), moment(purchase.createdAt)],
    ...(paidAt === null ? [] : [[t('fact.paid'), moment(paidAt)] as const]),
    ...(purchase.receiptUrl === null && purchase.cashReceiptUrl === null
      ? []
      : [[t('receipt'), <Receipts key="receipts" purchase={purchase} />] as const]),
  ];
  return (
    <section aria-label={t('facts')} className="grid gap-4">
      <dl className="grid grid-cols-1 gap-x-6 gap-y-3 rounded-xl border border-line bg-raised p-5 sm:grid-cols-2">
        {facts.map(([name, value]) => (
          <div key={name}>
            <dt className="text-sm text-faint">{name}</dt>
            <dd className="break-words tabular-nums">{value}</dd>
          </div>
        ))}
      </dl>
      {provider === 'demo' && <Notice tone="info">{t('demo')}</Notice>}
    </section>
  );
}
