import { describe, expect, test } from '@jest/globals';
import type { TurnEvent } from '../../domain/stream-events.ts';
import { ApiError } from '../../web/api/api-error.ts';
import { waitAfter } from '../../web/api/wait-after.ts';
import { advance, beginTurn, isPassing, roughTokens, type Turn } from '../../web/chat/turns/turn-state.ts';

const fresh = beginTurn({ turnId: 't', conversationId: null, question: '질문', phase: 'sending' });
const ending = (state: Turn['state'], more: Partial<Turn> = {}): Turn => ({
  turnId: 't',
  conversationId: 'c',
  state,
  model: 'm',
  attempt: 1,
  maxOutputTokens: 10,
  createdAt: '2026-11-25T00:00:00Z',
  ...more,
});
const accepted: TurnEvent<Turn> = {
  id: '0-1',
  type: 'accepted',
  data: { turnId: 't', conversationId: 'c', model: 'm' },
};
const delta = (id: string, text: string): TurnEvent<Turn> => ({
  id,
  type: 'delta',
  data: { text, attempt: Number(id[0]) },
});
const restarted = (id: string, reason: 'retry' | 'resync'): TurnEvent<Turn> => ({
  id,
  type: 'restarted',
  data: { attempt: Number(id[0]), reason },
});
const play = (...events: TurnEvent<Turn>[]) => events.reduce(advance, fresh);

describe('what a reader of a turn shows', () => {
  test('the text as it comes, and where to resume', () => {
    expect(play(accepted, delta('1-1', '안녕'), delta('1-2', '하세요'))).toMatchObject({
      conversationId: 'c',
      phase: 'answering',
      text: '안녕하세요',
      lastEventId: '1-2',
    });
  });

  test('after `restarted` the earlier text stands until the next attempt has some, then none of it is left', () => {
    const again = play(accepted, delta('1-1', '옛 답'), restarted('2-1', 'retry'));
    expect(again).toMatchObject({ text: '옛 답', outdated: true, again: true });
    expect(advance(again, delta('2-2', '새 답'))).toMatchObject({ text: '새 답', outdated: false, again: false });
  });

  test('a resync is no new answer: nothing on the screen says so', () => {
    expect(play(accepted, delta('1-1', 'ab'), restarted('1-5', 'resync'))).toMatchObject({ text: 'ab', again: false });
    expect(play(accepted, delta('1-1', 'ab'), restarted('1-5', 'resync'), delta('1-6', 'abc')).text).toBe('abc');
  });

  test('the ending has the last word about the text; of a failed turn what was read stays', () => {
    expect(
      play(accepted, delta('1-1', '안'), {
        id: '1-9',
        type: 'completed',
        data: { turn: ending('completed', { content: '안녕' }) },
      }),
    ).toMatchObject({ phase: 'ended', text: '안녕' });
    expect(
      play(accepted, delta('1-1', '안'), { id: '1-9', type: 'failed', data: { turn: ending('failed') } }),
    ).toMatchObject({ phase: 'ended', text: '안' });
  });
});

describe('which errors pass by themselves', () => {
  const passes = (code: ApiError['code'], admitted: boolean, details = {}) =>
    isPassing(new ApiError(code, 503, details), { admitted });

  test('a lost connection always: the same id sent again is the same turn', () => {
    expect([passes('offline', false), passes('offline', true)]).toEqual([true, true]);
  });

  test('`unavailable` when the turn is bound or admitted; else what was typed is given back', () => {
    expect([
      passes('unavailable', false),
      passes('unavailable', false, { bound: true }),
      passes('unavailable', true),
    ]).toEqual([false, true, true]);
  });

  test('a refusal never', () => {
    expect(
      (
        ['TOKEN_EXHAUSTED', 'tokens_held', 'conversation_busy', 'invalid_request', 'unauthorized', 'not_found'] as const
      ).filter((code) => passes(code, true)),
    ).toEqual([]);
  });

  test('too many requests stop a send, but not a reader', () => {
    expect([passes('rate_limited', false), passes('rate_limited', true)]).toEqual([false, true]);
  });
});

test('waits grow to ten seconds and differ from tab to tab', () => {
  expect([1, 2, 3, 50].map((failures) => waitAfter(failures, 0.5))).toEqual([400, 800, 1_600, 10_000]);
  expect(waitAfter(3, 0)).toBeLessThan(waitAfter(3, 1));
});

test("the rough count of an answer is near the tokenizer's", async () => {
  const { countTokens } = await import('../../platform/tokens/tokenizer.ts');
  for (const text of [
    '복리란 원금에 붙은 이자에 다시 이자가 붙는 방식입니다. 시간이 지날수록 늘어나는 속도가 빨라집니다.',
    'Compound interest is interest on interest: the longer it runs, the faster it grows.',
  ]) {
    const [rough, exact] = [roughTokens(text), countTokens(text, 'o200k_base')];
    expect(rough).toBeGreaterThan(exact * 0.6);
    expect(rough).toBeLessThan(exact * 1.6);
  }
});
