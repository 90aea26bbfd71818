import type { ChatTurnResult, Ended, Reserved, StoredAnswer } from './contract/turn.ts';

/** What the Temporal UI shows of a turn: how far it is, or how it ended. Figures and codes only. */
export function describeCall({ model, outputLimit }: Extract<Reserved, { kind: 'held' }>): string {
  return `the hold is made; ${model} answers with at most ${outputLimit} tokens`;
}

export function describeDebit(
  state: ChatTurnResult['state'],
  { attempt, promptTokens, cachedTokens, completionTokens, estimated }: StoredAnswer,
): string {
  const counted = estimated ? ', counted by us' : '';
  return `${state}: attempt ${attempt} used ${promptTokens} prompt tokens (${cachedTokens} of them cached) and ${completionTokens} completion tokens${counted}; debited once`;
}

/** Describes a run that ends without an answer of its own. */
export function describeEnd(ended: Ended): string {
  if (ended.kind === 'failed') return `failed with ${ended.code}: nothing is charged, running it again is safe`;
  const said = {
    completed: 'completed by an earlier run: nothing was done, nothing is charged again',
    stopped: 'stopped before there was text, or by an earlier run: this one charges nothing',
    refused: 'refused for lack of tokens: nothing was held, nothing is charged',
  } as const satisfies Record<ChatTurnResult['state'], string>;
  return said[ended.state];
}
