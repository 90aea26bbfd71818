import { useMemo } from 'react';
import { currentLocale } from '../i18n/language.ts';
import { useMe } from '../session/me.ts';

/** Formats numbers and times in the person's language and time zone. */
export function useFigures() {
  const { timeZone } = useMe();
  const locale = currentLocale();
  return useMemo(() => {
    const number = new Intl.NumberFormat(locale);
    const percent = new Intl.NumberFormat(locale, { maximumFractionDigits: 2 });
    const day = new Intl.DateTimeFormat(locale, { timeZone, month: 'long', day: 'numeric', weekday: 'short' });
    const moment = new Intl.DateTimeFormat(locale, { timeZone, dateStyle: 'medium', timeStyle: 'short' });
    const hour = new Intl.DateTimeFormat(locale, { timeZone, month: 'short', day: 'numeric', hour: 'numeric' });
    const date = new Intl.DateTimeFormat(locale, { timeZone, month: 'short', day: 'numeric' });
    const relative = new Intl.RelativeTimeFormat(locale, { numeric: 'auto' });
    return {
      timeZone,
      tokens: (value: number) => number.format(value),
      percent: (value: number) => `${percent.format(value)}%`,
      day: (instant: string) => day.format(new Date(instant)),
      moment: (instant: string) => moment.format(new Date(instant)),
      /** The hour or day that begins at an instant. */
      bucketName: (instant: string, bucket: 'hour' | 'day') =>
        (bucket === 'hour' ? hour : date).format(new Date(instant)),
      /** “in 6 days”, “in 3 hours” */
      until: (instant: string, now = Date.now()) => {
        const hours = (Date.parse(instant) - now) / 3_600_000;
        return Math.abs(hours) < 48
          ? relative.format(Math.round(hours), 'hour')
          : relative.format(Math.round(hours / 24), 'day');
      },
    };
  }, [locale, timeZone]);
}
