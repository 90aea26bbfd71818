import { useMemo } from 'react';
import { useTranslation } from 'react-i18next';
import { currentLocale } from '../i18n/language.ts';
import { useMe } from '../session/me.ts';
import { momentsIn } from './moments.ts';

/** Formats numbers and times in the person's language and time zone. */
export function useFigures() {
  const { t } = useTranslation('usage');
  const { timeZone } = useMe();
  const locale = currentLocale();
  return useMemo(() => {
    const number = new Intl.NumberFormat(locale);
    const percent = new Intl.NumberFormat(locale, { maximumFractionDigits: 2 });
    const moments = momentsIn(locale, timeZone);
    return {
      timeZone,
      tokens: (value: number) => number.format(value),
      percent: (value: number) => `${percent.format(value)}%`,
      ...moments,
      /** A day of the account's calendar, `YYYY-MM-DD`, which no zone moves. */
      dayOf: (day: string) => momentsIn(locale, 'UTC').day(`${day}T00:00:00Z`),
      /** A month by its label, `YYYY-MM`. */
      monthOf: (label: string) => {
        const [year = '', month = '1'] = label.split('-');
        const name = new Intl.DateTimeFormat('en', { month: 'long', timeZone: 'UTC' }).format(new Date(`${label}-01`));
        return t('month', { year, month: locale === 'ko' ? Number(month) : name });
      },
      /** The hour or day that begins at an instant. */
      bucketName: (instant: string, bucket: 'hour' | 'day') => moments[bucket === 'hour' ? 'moment' : 'day'](instant),
    };
  }, [locale, timeZone, t]);
}
