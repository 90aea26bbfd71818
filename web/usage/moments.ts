import type { Locale } from '../../domain/messages.ts';

/** How moments are written, in the person's language and time zone: the same everywhere. */
export interface Moments {
  /** "12월 1일", with the year when it is another than this one. */
  day(instant: string): string;
  /** "12월 1일 오후 3:05"; midnight is "12월 1일 0시". */
  moment(instant: string): string;
  /** "6일 후", "3시간 후", "5분 후". */
  until(instant: string): string;
}

export function momentsIn(locale: Locale, timeZone: string, now: () => number = Date.now): Moments {
  const parts = new Intl.DateTimeFormat('en', {
    timeZone,
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    hourCycle: 'h23',
  });
  const month = new Intl.DateTimeFormat('en', { timeZone, month: 'short' });
  const relative = new Intl.RelativeTimeFormat(locale, { numeric: 'always' });
  const read = (instant: number) => {
    const found = new Map(parts.formatToParts(instant).map(({ type, value }) => [type, Number(value)]));
    const of = (type: Intl.DateTimeFormatPartTypes) => found.get(type) ?? 0;
    return { year: of('year'), month: of('month'), day: of('day'), hour: of('hour'), minute: of('minute') };
  };
  const day = (instant: string) => {
    const at = Date.parse(instant);
    const date = read(at);
    const isThisYear = date.year === read(now()).year;
    if (locale === 'ko') return `${isThisYear ? '' : `${date.year}년 `}${date.month}월 ${date.day}일`;
    return `${month.format(at)} ${date.day}${isThisYear ? '' : `, ${date.year}`}`;
  };
  const time = (instant: string) => {
    const { hour, minute } = read(Date.parse(instant));
    const minutes = String(minute).padStart(2, '0');
    if (hour === 0 && minute === 0) return locale === 'ko' ? '0시' : 'midnight';
    const twelve = hour > 12 ? hour - 12 : hour;
    if (locale === 'ko') return `${hour < 12 ? '오전' : '오후'} ${twelve}:${minutes}`;
    return `${twelve === 0 ? 12 : twelve}:${minutes} ${hour < 12 ? 'AM' : 'PM'}`;
  };
  return {
    day,
    moment: (instant) => (locale === 'ko' ? `${day(instant)} ${time(instant)}` : `${day(instant)} at ${time(instant)}`),
    until: (instant) => {
      const minutes = Math.max(1, Math.round((Date.parse(instant) - now()) / 60_000));
      if (minutes < 60) return relative.format(minutes, 'minute');
      if (minutes < 48 * 60) return relative.format(Math.round(minutes / 60), 'hour');
      return relative.format(Math.round(minutes / 1_440), 'day');
    },
  };
}
