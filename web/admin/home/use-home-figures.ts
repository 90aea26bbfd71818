import { useMemo } from 'react';
import { useTranslation } from 'react-i18next';
import type { Schemas } from '../../api/schemas.ts';
import { currentLocale } from '../../i18n/language.ts';
import { useFigures } from '../../usage/figures.ts';

export type Figures = Schemas['UsageFigures'];
export type Cost = Figures['cost'];

/** Writes what the home shows beside tokens. */
export function useHomeFigures() {
  const { t } = useTranslation('admin-home');
  const { tokens } = useFigures();
  const locale = currentLocale();
  return useMemo(() => {
    const money = ({ currency, micros }: Cost[number]) => {
      const amount = micros / 1_000_000;
      // A day of little use costs less than a cent, which is still not nothing.
      const small = amount !== 0 && Math.abs(amount) < 1;
      if (currency === 'KRW' && locale === 'ko')
        return t('won', { amount: new Intl.NumberFormat(locale, small ? SMALL : WHOLE).format(amount) });
      return new Intl.NumberFormat(locale, { style: 'currency', currency, ...(small ? SMALL : {}) }).format(amount);
    };
    const seconds = new Intl.NumberFormat(locale, { maximumFractionDigits: 1, minimumFractionDigits: 1 });
    return {
      tokens,
      cost: (cost: Cost) => (cost.length === 0 ? '–' : cost.map(money).join(' + ')),
      seconds: (ms: number | undefined) => (ms === undefined ? '–' : t('seconds', { n: seconds.format(ms / 1_000) })),
    };
  }, [locale, t, tokens]);
}

const SMALL = { maximumSignificantDigits: 3, minimumSignificantDigits: 1 } as const;
const WHOLE = { maximumFractionDigits: 0 } as const;
