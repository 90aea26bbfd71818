const KOREAN_UNITS = ['', '만', '억', '조'];

/**
 * A number of tokens as it is said, so that a zero too many is noticed: 5000000000 is 50억, or 5 billion. It is exact.
 */
export function amountInWords(amount: number, locale: 'ko' | 'en'): string {
  if (locale === 'en')
    return new Intl.NumberFormat('en', {
      notation: 'compact',
      compactDisplay: 'long',
      maximumSignificantDigits: 15,
    }).format(amount);
  const groups: string[] = [];
  for (
    let rest = amount, unit = 0;
    rest > 0 && unit < KOREAN_UNITS.length;
    rest = Math.floor(rest / 10_000), unit += 1
  ) {
    const group = unit === KOREAN_UNITS.length - 1 ? rest : rest % 10_000;
    if (group > 0) groups.unshift(`${group.toLocaleString('ko')}${KOREAN_UNITS[unit] ?? ''}`);
  }
  return groups.length === 0 ? '0' : groups.join(' ');
}
