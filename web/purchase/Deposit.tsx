import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { CopyButton } from '../ui/CopyButton.tsx';
import { Notice } from '../ui/Notice.tsx';
import { useFigures } from '../usage/figures.ts';
import type { PurchaseDetail } from './queries.ts';
import { useMoney } from './use-money.ts';

/** Where the buyer's deposit goes, and until when. What was read once stays while nothing newer comes. */
export function Deposit({ purchase }: { purchase: PurchaseDetail }) {
  const { t } = useTranslation('purchase');
  const { moment, until } = useFigures();
  const money = useMoney();
  const [known, setKnown] = useState(purchase.deposit);
  if (purchase.deposit !== null && purchase.deposit.accountNumber !== known?.accountNumber) setKnown(purchase.deposit);
  const { dueAt } = purchase;
  if (known === null) return <Notice tone="warn">{t('deposit.unknown')}</Notice>;
  const facts = [
    ['bank', known.bank, null],
    ['account', known.accountNumber, known.accountNumber.replaceAll(/\D/g, '')],
    ['holder', known.holder ?? '–', null],
    ['amount', money(purchase), String(purchase.amount)],
    ['due', dueAt === null ? '–' : `${moment(dueAt)} (${until(dueAt)})`, null],
  ] as const;
  return (
    <dl className="grid gap-2 rounded-lg bg-raised p-4">
      {facts.map(([name, value, copied]) => (
        <div key={name} className="flex flex-wrap items-baseline gap-x-4">
          <dt className="w-20 shrink-0 text-sm text-soft">{t(`deposit.${name}`)}</dt>
          <dd
            className={`flex flex-1 items-center gap-1 font-medium tabular-nums ${copied === null ? 'min-w-0' : 'min-w-max'}`}
          >
            {value}
            {copied !== null && <CopyButton text={copied} label={t('deposit.copy', { what: t(`deposit.${name}`) })} />}
          </dd>
        </div>
      ))}
    </dl>
  );
}
