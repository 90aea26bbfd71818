import type { Locale } from '../../domain/messages.ts';

/** A time zone as people say it: "서울 시간", "Seoul time". Of a zone without a place it is the offset: "UTC", "GMT-5". */
export function zoneName(timeZone: string, locale: Locale): string {
  if (timeZone === 'UTC') return timeZone;
  const place = /^(?!Etc\/).+\/(.+)$/.exec(timeZone)?.[1];
  if (locale === 'en' && place !== undefined) return `${place.replaceAll('_', ' ')} time`;
  if (timeZone === 'Asia/Seoul') return '서울 시간';
  const parts = new Intl.DateTimeFormat(locale, { timeZone, timeZoneName: 'shortGeneric' }).formatToParts(0);
  return parts.find(({ type }) => type === 'timeZoneName')?.value.replace(/\(.*\)/, '') ?? timeZone;
}
