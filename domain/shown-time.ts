import { wallClock, type Instant } from './period.ts';

/** `YYYY-MM-DDTHH:MM` on the wall clock of the zone. */
export function shown(at: Instant, timeZone: string): string {
  return new Date(wallClock(at, timeZone)).toISOString().slice(0, 16);
}

/** `12월 1일 0시(서울)`; an hour that is not full has its minutes. */
export function koreanTime(at: Instant, timeZone: string): string {
  const [, month, day, hour, minute] = shown(at, timeZone).split(/[-T:]/).map(Number);
  const clock = minute === 0 ? `${hour}시` : `${hour}시 ${minute}분`;
  return `${month}월 ${day}일 ${clock}(${zoneName(timeZone)})`;
}

/** As a Korean reader calls it: `뉴욕 시간`, `홍콩 시간`, `UTC`. The web app calls it so too (`web/usage/zone-name.ts`). */
function zoneName(timeZone: string): string {
  if (timeZone === 'Asia/Seoul') return '서울';
  if (timeZone === 'UTC') return timeZone;
  const parts = new Intl.DateTimeFormat('ko', { timeZone, timeZoneName: 'shortGeneric' }).formatToParts(0);
  return parts.find(({ type }) => type === 'timeZoneName')?.value.replace(/\(.*\)/, '') ?? timeZone;
}
