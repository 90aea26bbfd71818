/** The names that may be chosen, and those that stand for them. Both are closed lists (policy 14). */

/**
 * Finds the zone that a name means: itself, or the zone of the same country that a link of IANA leads to
 * (Asia/Calcutta is Asia/Kolkata). `Intl` accepts more: offsets (`+09:00`), which have no daylight saving, any case,
 * and names of its own (`JST`, `PST`, `BST`). Temporal's schedules refuse those, and no reset could be armed for such
 * an account.
 * @returns null for a name that IANA does not have, or spells in another way.
 */
export function resolveTimeZone(name: string): string | null {
  return LINKS.get(name) ?? (TIME_ZONES.has(name) ? name : null);
}

/** The reason of a refusal. It follows the name of the field, and says what may have been meant. */
export function noTimeZone(name: string): string {
  const meant = guessTimeZone(name);
  return `not the name of an IANA time zone, such as Asia/Seoul or UTC${meant === null ? '' : `; did you mean ${meant}?`}`;
}

/** What a name that is none may mean: another spelling, one of `Intl`'s own names, or an offset in whole hours. */
export function guessTimeZone(name: string): string | null {
  const spelt = name.trim().replaceAll(' ', '_').toLowerCase();
  const known = KNOWN_AS.get(spelt);
  if (known !== undefined) return known;
  const [, sign, hours] = /^(?:utc|gmt)?([+-])0?(\d{1,2})(?::?00)?$/.exec(spelt) ?? [];
  if (sign === undefined || hours === undefined) return null;
  // The signs of these names are those of POSIX: Etc/GMT-9 is nine hours ahead.
  return Number(hours) === 0 ? 'UTC' : resolveTimeZone(`Etc/GMT${sign === '+' ? '-' : '+'}${hours}`);
}

/** Zones that `Intl.supportedValuesOf` may leave out or spell in an old way. The newest zones come with Node. */
const MORE_ZONES = `
  Africa/Asmara America/Argentina/Buenos_Aires America/Argentina/Catamarca America/Argentina/Cordoba
  America/Argentina/Jujuy America/Argentina/Mendoza America/Atikokan America/Indiana/Indianapolis
  America/Kentucky/Louisville America/Nuuk Asia/Ho_Chi_Minh Asia/Kathmandu Asia/Kolkata Asia/Yangon Atlantic/Faroe
  Etc/GMT+1 Etc/GMT+10 Etc/GMT+11 Etc/GMT+12 Etc/GMT+2 Etc/GMT+3 Etc/GMT+4 Etc/GMT+5 Etc/GMT+6 Etc/GMT+7 Etc/GMT+8
  Etc/GMT+9 Etc/GMT-1 Etc/GMT-10 Etc/GMT-11 Etc/GMT-12 Etc/GMT-13 Etc/GMT-14 Etc/GMT-2 Etc/GMT-3 Etc/GMT-4 Etc/GMT-5
  Etc/GMT-6 Etc/GMT-7 Etc/GMT-8 Etc/GMT-9 Europe/Kyiv Pacific/Chuuk Pacific/Kanton Pacific/Pohnpei UTC
`;

/** A zone and the links to it. A link that IANA has merged into another country's zone leads to that of its own. */
const LINKS_BY_ZONE = `
  Africa/Asmara < Africa/Asmera
  Africa/Bamako < Africa/Timbuktu
  Africa/Cairo < Egypt
  Africa/Tripoli < Libya
  America/Adak < America/Atka US/Aleutian
  America/Anchorage < US/Alaska
  America/Argentina/Buenos_Aires < America/Buenos_Aires
  America/Argentina/Catamarca < America/Argentina/ComodRivadavia America/Catamarca
  America/Argentina/Cordoba < America/Cordoba America/Rosario
  America/Argentina/Jujuy < America/Jujuy
  America/Argentina/Mendoza < America/Mendoza
  America/Atikokan < America/Coral_Harbour
  America/Chicago < CST6CDT US/Central
  America/Denver < America/Shiprock MST7MDT Navajo US/Mountain
  America/Detroit < US/Michigan
  America/Edmonton < America/Yellowknife Canada/Mountain
  America/Halifax < Canada/Atlantic
  America/Havana < Cuba
  America/Indiana/Indianapolis < America/Fort_Wayne America/Indianapolis US/East-Indiana
  America/Indiana/Knox < America/Knox_IN US/Indiana-Starke
  America/Iqaluit < America/Pangnirtung
  America/Jamaica < Jamaica
  America/Kentucky/Louisville < America/Louisville
  America/Los_Angeles < PST8PDT US/Pacific
  America/Manaus < Brazil/West
  America/Mazatlan < Mexico/BajaSur
  America/Mexico_City < Mexico/General
  America/New_York < EST5EDT US/Eastern
  America/Noronha < Brazil/DeNoronha
  America/Nuuk < America/Godthab
  America/Panama < EST
  America/Phoenix < MST US/Arizona
  America/Regina < Canada/Saskatchewan
  America/Rio_Branco < America/Porto_Acre Brazil/Acre
  America/Santiago < Chile/Continental
  America/Sao_Paulo < Brazil/East
  America/St_Johns < Canada/Newfoundland
  America/St_Thomas < America/Virgin
  America/Tijuana < America/Ensenada America/Santa_Isabel Mexico/BajaNorte
  America/Toronto < America/Montreal America/Nipigon America/Thunder_Bay Canada/Eastern
  America/Vancouver < Canada/Pacific
  America/Whitehorse < Canada/Yukon
  America/Winnipeg < America/Rainy_River Canada/Central
  Antarctica/McMurdo < Antarctica/South_Pole
  Arctic/Longyearbyen < Atlantic/Jan_Mayen
  Asia/Ashgabat < Asia/Ashkhabad
  Asia/Dhaka < Asia/Dacca
  Asia/Ho_Chi_Minh < Asia/Saigon
  Asia/Hong_Kong < Hongkong
  Asia/Jerusalem < Asia/Tel_Aviv Israel
  Asia/Kathmandu < Asia/Katmandu
  Asia/Kolkata < Asia/Calcutta
  Asia/Macau < Asia/Macao
  Asia/Makassar < Asia/Ujung_Pandang
  Asia/Nicosia < Europe/Nicosia
  Asia/Seoul < ROK
  Asia/Shanghai < Asia/Chongqing Asia/Chungking Asia/Harbin PRC
  Asia/Singapore < Singapore
  Asia/Taipei < ROC
  Asia/Tehran < Iran
  Asia/Thimphu < Asia/Thimbu
  Asia/Tokyo < Japan
  Asia/Ulaanbaatar < Asia/Choibalsan Asia/Ulan_Bator
  Asia/Urumqi < Asia/Kashgar
  Asia/Yangon < Asia/Rangoon
  Atlantic/Faroe < Atlantic/Faeroe
  Atlantic/Reykjavik < Iceland
  Australia/Adelaide < Australia/South
  Australia/Brisbane < Australia/Queensland
  Australia/Broken_Hill < Australia/Yancowinna
  Australia/Darwin < Australia/North
  Australia/Hobart < Australia/Currie Australia/Tasmania
  Australia/Lord_Howe < Australia/LHI
  Australia/Melbourne < Australia/Victoria
  Australia/Perth < Australia/West
  Australia/Sydney < Australia/ACT Australia/Canberra Australia/NSW
  Europe/Athens < EET
  Europe/Brussels < CET MET
  Europe/Chisinau < Europe/Tiraspol
  Europe/Dublin < Eire
  Europe/Istanbul < Asia/Istanbul Turkey
  Europe/Kyiv < Europe/Kiev Europe/Uzhgorod Europe/Zaporozhye
  Europe/Lisbon < Portugal WET
  Europe/London < Europe/Belfast GB GB-Eire
  Europe/Moscow < W-SU
  Europe/Warsaw < Poland
  Pacific/Auckland < NZ
  Pacific/Chatham < NZ-CHAT
  Pacific/Chuuk < Pacific/Truk Pacific/Yap
  Pacific/Easter < Chile/EasterIsland
  Pacific/Honolulu < HST Pacific/Johnston US/Hawaii
  Pacific/Kanton < Pacific/Enderbury
  Pacific/Kwajalein < Kwajalein
  Pacific/Pago_Pago < Pacific/Samoa US/Samoa
  Pacific/Pohnpei < Pacific/Ponape
  UTC < Etc/GMT Etc/GMT+0 Etc/GMT-0 Etc/GMT0 Etc/Greenwich Etc/UCT Etc/UTC Etc/Universal Etc/Zulu GMT GMT+0 GMT-0 GMT0 Greenwich UCT Universal Zulu
`;

/**
 * What `Intl` takes the names for that only it has, and zones that are written as people say them. It decides what
 * somebody may have meant, nothing else.
 */
const SAID = `
  Africa/Cairo < ART
  Africa/Maputo < CAT
  Africa/Nairobi < EAT
  America/Anchorage < AST
  America/Argentina/Buenos_Aires < AGT
  America/Chicago < CST CDT
  America/Denver < MDT
  America/Indiana/Indianapolis < IET
  America/Los_Angeles < PST PDT US/Pacific-New
  America/New_York < EDT
  America/Phoenix < PNT
  America/Puerto_Rico < PRT
  America/Regina < Canada/East-Saskatchewan
  America/Sao_Paulo < BET
  America/St_Johns < CNT
  Asia/Dhaka < BST
  Asia/Ho_Chi_Minh < VST Asia/Hanoi
  Asia/Karachi < PLT
  Asia/Kolkata < IST
  Asia/Pyongyang < Asia/Pyeongyang
  Asia/Seoul < KST Seoul Korea
  Asia/Shanghai < CTT Asia/Beijing
  Asia/Tokyo < JST Tokyo
  Asia/Yerevan < NET
  Australia/Darwin < ACT
  Australia/Sydney < AET
  Europe/Paris < ECT
  Pacific/Apia < MIT
  Pacific/Auckland < NST
  Pacific/Guadalcanal < SST
`;

function pairsOf(table: string): [name: string, zone: string][] {
  return table
    .trim()
    .split('\n')
    .flatMap((line) => {
      const [zone = '', names = ''] = line.trim().split(' < ');
      return names.split(' ').map((name): [string, string] => [name, zone]);
    });
}

/** From a link to the zone that it means. */
export const LINKS: ReadonlyMap<string, string> = new Map(pairsOf(LINKS_BY_ZONE));

/** All zones that may be chosen. */
export const TIME_ZONES: ReadonlySet<string> = new Set(
  [...Intl.supportedValuesOf('timeZone'), ...MORE_ZONES.trim().split(/\s+/)].filter((name) => !LINKS.has(name)),
);

const KNOWN_AS: ReadonlyMap<string, string> = new Map(
  [...pairsOf(SAID), ...LINKS, ...[...TIME_ZONES].map((zone): [string, string] => [zone, zone])].map(
    ([name, zone]): [string, string] => [name.toLowerCase(), zone],
  ),
);
