/**
 * Banks of South Korea by the code that Toss Payments gives them. A refund of a deposit is paid to an account at one of
 * them.
 */
export const BANKS = {
  '02': { ko: '산업은행', en: 'KDB' },
  '03': { ko: 'IBK기업은행', en: 'IBK' },
  '06': { ko: 'KB국민은행', en: 'KB Kookmin' },
  '07': { ko: 'Sh수협은행', en: 'Suhyup' },
  '11': { ko: 'NH농협은행', en: 'NH NongHyup' },
  '12': { ko: '단위농협(지역농축협)', en: 'Local NongHyup' },
  '20': { ko: '우리은행', en: 'Woori' },
  '23': { ko: 'SC제일은행', en: 'SC First' },
  '27': { ko: '씨티은행', en: 'Citi' },
  '31': { ko: 'iM뱅크(대구)', en: 'iM Bank' },
  '32': { ko: '부산은행', en: 'Busan' },
  '34': { ko: '광주은행', en: 'Gwangju' },
  '35': { ko: '제주은행', en: 'Jeju' },
  '37': { ko: '전북은행', en: 'Jeonbuk' },
  '39': { ko: '경남은행', en: 'Kyongnam' },
  '45': { ko: '새마을금고', en: 'MG Community Credit' },
  '48': { ko: '신협', en: 'Shinhyup' },
  '50': { ko: '저축은행중앙회', en: 'Savings banks' },
  '64': { ko: '산림조합', en: 'Forestry Cooperative' },
  '71': { ko: '우체국예금보험', en: 'Korea Post' },
  '81': { ko: '하나은행', en: 'Hana' },
  '88': { ko: '신한은행', en: 'Shinhan' },
  '89': { ko: '케이뱅크', en: 'K bank' },
  '90': { ko: '카카오뱅크', en: 'KakaoBank' },
  '92': { ko: '토스뱅크', en: 'Toss Bank' },
} as const satisfies Record<string, { readonly ko: string; readonly en: string }>;

export type BankCode = keyof typeof BANKS;
export const BANK_CODES = Object.keys(BANKS) as [BankCode, ...BankCode[]];

/** As its customers know it. */
export function bankNamed(code: BankCode, locale: 'ko' | 'en'): string {
  return BANKS[code][locale];
}

/** Its Korean name, as a transfer asks for it; a code that is not known stays as it is. */
export function bankName(code: string): string {
  return Object.entries(BANKS).find(([known]) => known === code)?.[1].ko ?? code;
}
