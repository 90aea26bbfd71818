import { Migration } from '@mikro-orm/migrations';

/**
 * Accounts whose zone has a name that Temporal refuses (`JST`), or a link, get the name of the zone by which their
 * months have been counted so far. Their periods stay. The daily repair arms what could not be armed.
 */
export class NameTimeZonesAsTemporalDoes extends Migration {
  override readonly name = '20261130103203-name-time-zones-as-temporal-does';

  override up(): void {
    const pairs = ZONES.trim()
      .split('\n')
      .flatMap((line) => {
        const [zone = '', names = ''] = line.trim().split(' < ');
        return [zone, ...names.split(' ')].map((name) => `('${name.toLowerCase()}', '${zone}')`);
      });
    // A name in another case (Asia/KOLKATA) was taken for a while, too.
    this.addSql(`update accounts set time_zone = known.zone from (values ${pairs.join(', ')}) known (name, zone)
      where lower(accounts.time_zone) = known.name and accounts.time_zone <> known.zone`);
  }
}

// As of this migration: links of IANA, and names that only Node knows, with what Node takes them for.
const ZONES = `
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
  Africa/Cairo < ART
  Africa/Maputo < CAT
  Africa/Nairobi < EAT
  America/Anchorage < AST SystemV/YST9YDT
  America/Argentina/Buenos_Aires < AGT
  America/Chicago < CST SystemV/CST6CDT
  America/Denver < SystemV/MST7MDT
  America/Halifax < SystemV/AST4ADT
  America/Indiana/Indianapolis < IET
  America/Los_Angeles < PST SystemV/PST8PDT US/Pacific-New
  America/New_York < SystemV/EST5EDT
  America/Panama < SystemV/EST5
  America/Phoenix < PNT SystemV/MST7
  America/Puerto_Rico < PRT SystemV/AST4
  America/Regina < Canada/East-Saskatchewan SystemV/CST6
  America/Sao_Paulo < BET
  America/St_Johns < CNT
  Asia/Dhaka < BST
  Asia/Ho_Chi_Minh < VST
  Asia/Karachi < PLT
  Asia/Kolkata < IST
  Asia/Shanghai < CTT
  Asia/Tokyo < JST
  Asia/Yerevan < NET
  Australia/Darwin < ACT
  Australia/Sydney < AET
  Etc/GMT+8 < SystemV/PST8
  Etc/GMT+9 < SystemV/YST9
  Europe/Paris < ECT
  Pacific/Apia < MIT
  Pacific/Auckland < NST
  Pacific/Guadalcanal < SST
  Pacific/Honolulu < SystemV/HST10
`;
