import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { countTokens } from '../../platform/tokens/tokenizer.ts';
import { startTestStack, type TestStack } from '../support/stack.ts';

let stack: TestStack;
beforeAll(async () => {
  stack = await startTestStack();
});
afterAll(() => stack.close());

/** Worst for a tokenizer: Han characters that no token joins, the most that a message may have. */
const worst = () =>
  String.fromCharCode(...Array.from({ length: 32_000 }, () => 0x4e00 + Math.floor(Math.random() * 0x5000)));

test('for a conversation that is not there are 404 before they are counted, and meanwhile others are answered', async () => {
  const person = await stack.person();
  const began = performance.now();
  const sent = Array.from({ length: 30 }, () =>
    person.call('POST', '/api/chat/send', { message: worst(), conversationId: randomUUID() }),
  );
  let slowest = 0;
  let open = true;
  const all = Promise.all(sent).finally(() => (open = false));
  while (open) {
    const asked = performance.now();
    expect((await fetch(`${stack.url}/health`)).status).toBe(200);
    slowest = Math.max(slowest, performance.now() - asked);
  }
  expect(new Set((await all).map(({ status }) => status))).toEqual(new Set([404]));
  const took = performance.now() - began;
  // The control: what counting all of them takes, by a third of them, on however slow a machine.
  const counting = performance.now();
  for (let i = 0; i < 10; i += 1) countTokens(worst(), 'o200k_base');
  const counted = 3 * (performance.now() - counting);
  expect(took).toBeLessThan(counted);
  expect(slowest).toBeLessThan(counted / 3);
});

test('of one account are bounded by their bytes, and others are not', async () => {
  const [greedy, other] = [await stack.person(), await stack.person()];
  const answers = await Promise.all(
    Array.from({ length: 14 }, () => greedy.call('POST', '/api/chat/send', { message: worst(), maxOutputTokens: 1 })),
  );
  const limited = answers.filter(({ status }) => status === 429);
  expect(limited.length).toBeGreaterThan(0);
  expect(limited.length).toBeLessThanOrEqual(4);
  expect(limited[0]?.body).toMatchObject({ code: 'rate_limited' });
  expect(Number(limited[0]?.headers.get('retry-after'))).toBeGreaterThan(0);
  expect((await greedy.call('POST', '/api/chat/send', { message: '짧은 질문', maxOutputTokens: 1 })).status).not.toBe(
    429,
  );
  expect((await other.call('POST', '/api/chat/send', { message: worst(), maxOutputTokens: 1 })).status).not.toBe(429);
});
