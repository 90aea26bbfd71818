import { wallClock, type Instant } from './period.ts';

/** `YYYY-MM-DDTHH:MM` on the wall clock of the zone. */
export function shown(at: Instant, timeZone: string): string {
  return new Date(wallClock(at, timeZone)).toISOString().slice(0, 16);
}

/** `12월 1일 0시(서울)`; an hour that is not full has its minutes. */
export function koreanTime(at: Instant, timeZone: string): string {
  const [, month, day, hour, minute] = shown(at, timeZone).split(/[-T:]/).map(Number);
  const clock = minute === 0 ? `${hour}시` : `${hour}시 ${minute}분`;
  const zone = timeZone === 'Asia/Seoul' ? '서울' : zoneName(timeZone, 'ko');
  return `${month}월 ${day}일 ${clock}(${zone})`;
}

/** `Dec 1 at midnight (Seoul time)`, `Nov 30 at 10:00 AM (New York time)`. */
export function englishTime(at: Instant, timeZone: string): string {
  const [, month = 1, day, hour = 0, minute] = shown(at, timeZone).split(/[-T:]/).map(Number);
  const clock = `${hour % 12 || 12}:${String(minute).padStart(2, '0')} ${hour < 12 ? 'AM' : 'PM'}`;
  const time = hour === 0 && minute === 0 ? 'midnight' : clock;
  return `${MONTHS[month - 1] ?? ''} ${day} at ${time} (${zoneName(timeZone, 'en')})`;
}

const MONTHS = 'Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec'.split(' ');

/**
 * As a reader calls it: `뉴욕 시간`, `New York time`; of a zone without a place the offset (`UTC`, `GMT-5`). The web app
 * calls it so too (`web/usage/zone-name.ts`).
 */
export function zoneName(timeZone: string, locale: 'ko' | 'en'): string {
  if (timeZone === 'UTC') return timeZone;
  const place = /^(?!Etc\/).+\/(.+)$/.exec(timeZone)?.[1];
  if (locale === 'en' && place !== undefined) return `${place.replaceAll('_', ' ')} time`;
  if (timeZone === 'Asia/Seoul') return '서울 시간';
  const parts = new Intl.DateTimeFormat(locale, { timeZone, timeZoneName: 'shortGeneric' }).formatToParts(0);
  return parts.find(({ type }) => type === 'timeZoneName')?.value.replace(/\(.*\)/, '') ?? timeZone;
}
