import type { Locale } from '../../domain/messages.ts';
import { zoneName } from '../usage/zone-name.ts';

/** A zone that may be chosen. */
export interface Zone {
  /** IANA's name. */
  readonly id: string;
  readonly label: string;
}

/** How browsers still call some zones, and how IANA and the server do. */
const RENAMED = new Map([
  ['Africa/Asmera', 'Africa/Asmara'],
  ['America/Buenos_Aires', 'America/Argentina/Buenos_Aires'],
  ['America/Catamarca', 'America/Argentina/Catamarca'],
  ['America/Coral_Harbour', 'America/Atikokan'],
  ['America/Cordoba', 'America/Argentina/Cordoba'],
  ['America/Godthab', 'America/Nuuk'],
  ['America/Indianapolis', 'America/Indiana/Indianapolis'],
  ['America/Jujuy', 'America/Argentina/Jujuy'],
  ['America/Louisville', 'America/Kentucky/Louisville'],
  ['America/Mendoza', 'America/Argentina/Mendoza'],
  ['Asia/Calcutta', 'Asia/Kolkata'],
  ['Asia/Katmandu', 'Asia/Kathmandu'],
  ['Asia/Rangoon', 'Asia/Yangon'],
  ['Asia/Saigon', 'Asia/Ho_Chi_Minh'],
  ['Atlantic/Faeroe', 'Atlantic/Faroe'],
  ['Europe/Kiev', 'Europe/Kyiv'],
  ['Pacific/Enderbury', 'Pacific/Kanton'],
  ['Pacific/Ponape', 'Pacific/Pohnpei'],
  ['Pacific/Truk', 'Pacific/Chuuk'],
]);

/** The ids of the zones that may be chosen, with the one that is. */
export function zonesWith(current: string): string[] {
  const known = Intl.supportedValuesOf('timeZone').map((id) => RENAMED.get(id) ?? id);
  return [...new Set([...known, 'UTC', current])];
}

/** As people say it, with its id beside it: "서울 시간 (Asia/Seoul)". */
export function named(id: string, locale: Locale): Zone {
  const name = zoneName(id, locale);
  return { id, label: name === id ? id : `${name} (${id})` };
}
