import { useCallback } from 'react';
import { useTranslation } from 'react-i18next';
import type { Schemas } from '../api/schemas.ts';
import { currentLocale } from '../i18n/language.ts';

/** A payment that is no purchase’s may be in any currency. */
type Money = Pick<Schemas['UnmatchedPayment'], 'amount' | 'currency'>;

/** @returns a function that writes money as people read it: `10,000원`, `₩10,000`, `US$9.99`, `$9.99`. */
export function useMoney(): (money: Money) => string {
  const { t } = useTranslation('purchase');
  const locale = currentLocale();
  return useCallback(
    ({ amount, currency }) => {
      if (currency === 'KRW' && locale === 'ko')
        return t('won', { amount: new Intl.NumberFormat(locale).format(amount) });
      const written = new Intl.NumberFormat(locale, { style: 'currency', currency });
      // The amount is in the smallest unit of the currency.
      return written.format(amount / 10 ** (written.resolvedOptions().maximumFractionDigits ?? 0));
    },
    [locale, t],
  );
}
