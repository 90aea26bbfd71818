import { ArrowUpRight } from 'lucide-react';
import { useTranslation } from 'react-i18next';
import type { Purchase } from './queries.ts';

/** Links to the provider's receipt and to the one for the tax office; nothing where there is none. */
export function Receipts({ purchase: { receiptUrl, cashReceiptUrl } }: { purchase: Purchase }) {
  const { t } = useTranslation('purchase');
  if (receiptUrl === null && cashReceiptUrl === null) return null;
  return (
    <span className="inline-flex flex-wrap gap-x-4 gap-y-1">
      {receiptUrl !== null && <Receipt url={receiptUrl} name={t('receipt')} />}
      {cashReceiptUrl !== null && <Receipt url={cashReceiptUrl} name={t('cashReceipt')} />}
    </span>
  );
}

function Receipt({ url, name }: { url: string; name: string }) {
  const { t } = useTranslation('usage');
  return (
    <a
      href={url}
      target="_blank"
      rel="noopener noreferrer"
      className="inline-flex items-center gap-1 rounded text-accent hover:underline"
    >
      {name}
      <ArrowUpRight aria-hidden className="size-3.5" />
      <span className="sr-only">{t('opensElsewhere')}</span>
    </a>
  );
}
