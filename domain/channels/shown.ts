import { grouped, shown, type Locale } from '../messages.ts';
import type { Money } from '../payments/money.ts';
import type { Instant } from '../period.ts';

/** `12월 1일 0시(서울)`; an hour that is not full has its minutes. */
export function when(at: Instant, timeZone: string, locale: Locale): string {
  const [date = '', time = ''] = shown(at, timeZone).split('T');
  const [, month, day] = date.split('-');
  const [hour, minute] = time.split(':');
  if (locale === 'en') return `${date} ${time} (${timeZone})`;
  const clock = minute === '00' ? `${Number(hour)}시` : `${Number(hour)}시 ${Number(minute)}분`;
  return `${Number(month)}월 ${Number(day)}일 ${clock}(${zoneName(timeZone)})`;
}

/** As a Korean reader calls it: `뉴욕 시간`, `이란 시간`. */
function zoneName(timeZone: string): string {
  if (timeZone === 'Asia/Seoul') return '서울';
  const parts = new Intl.DateTimeFormat('ko', { timeZone, timeZoneName: 'shortGeneric' }).formatToParts(0);
  return parts.find(({ type }) => type === 'timeZoneName')?.value ?? timeZone;
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
