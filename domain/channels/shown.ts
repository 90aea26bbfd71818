import { grouped, type Locale } from '../messages.ts';
import type { Money } from '../payments/money.ts';
import type { Instant } from '../period.ts';
import { englishTime, koreanTime } from '../shown-time.ts';

/** `12월 1일 0시(서울)`, `Dec 1 at midnight (Seoul time)`. */
export function when(at: Instant, timeZone: string, locale: Locale): string {
  return locale === 'ko' ? koreanTime(at, timeZone) : englishTime(at, timeZone);
}

/** What a price is read as: `19,900원`, `$4.90`. */
export function price({ amount, currency }: Money, locale: Locale): string {
  if (currency === 'USD') return `$${grouped(Math.trunc(amount / 100))}.${String(amount % 100).padStart(2, '0')}`;
  return locale === 'ko' ? `${grouped(amount)}원` : `KRW ${grouped(amount)}`;
}

/** `2026년 11월`, `November 2026`. @param label `2026-11`. */
export function monthName(label: string, locale: Locale): string {
  const [year = '', month = ''] = label.split('-');
  return locale === 'ko' ? `${year}년 ${Number(month)}월` : `${MONTHS[Number(month) - 1] ?? ''} ${year}`;
}

const MONTHS = 'January February March April May June July August September October November December'.split(' ');
