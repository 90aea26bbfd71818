/**
 * What a provider did that is no failure, but worth a look: an unknown finish word or none, usage that could not be
 * believed, more than its limit, nothing at all.
 */
export type ProviderOddity = 'finish_word' | 'finish_missing' | 'usage' | 'cut' | 'empty';

export function odditiesOf(answer: {
  readonly isFinishUnknown: boolean;
  readonly finishWord: string | null;
  readonly isCut: boolean;
  /** The provider said what it used, and our count stands in place of a part of it. */
  readonly isUsageOurs: boolean;
}): ProviderOddity[] {
  const odd: ProviderOddity[] = [];
  if (answer.isFinishUnknown) odd.push(answer.finishWord === null ? 'finish_missing' : 'finish_word');
  if (answer.isCut) odd.push('cut');
  if (answer.isUsageOurs) odd.push('usage');
  return odd;
}
