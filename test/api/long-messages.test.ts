import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { createHash, randomUUID } from 'node:crypto';
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
  // Had they been counted first, their bytes would be too many, and most would be 429.
  expect(new Set((await all).map(({ status }) => status))).toEqual(new Set([404]));
  // The control: what counting all of them takes, by a third of them, on however slow a machine.
  const counting = performance.now();
  for (let i = 0; i < 10; i += 1) countTokens(worst(), 'o200k_base');
  const counted = 3 * (performance.now() - counting);
  expect(slowest).toBeLessThan(counted);
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

test('of a blocked account are refused before they are counted, so that their bytes are not bounded', async () => {
  const person = await stack.person();
  await person.call('POST', '/api/chat/send', { message: '안녕', maxOutputTokens: 1 });
  await person.call('POST', '/api/ai-usage/test-usage', { userId: person.userId, usagePercent: 105 });
  const send = async (message: string) => (await person.call('POST', '/api/chat/send', { message })).status;
  // So many refused questions are kept, and judged as any other.
  for (let kept = 0; kept < 5; kept += 1) expect(await send('짧은 질문')).toBe(402);
  const statuses = await Promise.all(Array.from({ length: 14 }, () => send(worst())));
  expect(new Set(statuses)).toEqual(new Set([402]));
});

test('and 100 GETs of the API’s document at once keep another person’s turn no longer than as many of /health', async () => {
  const person = await stack.person();
  const turnBeside = async (path: string) => {
    const began = performance.now();
    const asked = Array.from({ length: 100 }, () => fetch(stack.url + path).then((got) => got.text()));
    const { status } = await person.call('POST', '/api/chat/send', { message: '안녕', maxOutputTokens: 1 });
    const took = performance.now() - began;
    expect([status, new Set(await Promise.all(asked)).size]).toEqual([200, 1]);
    return took;
  };
  await turnBeside('/api/openapi.json');
  // In turns, and by the quickest of each: what else the machine does makes one of them slow, a frozen process all.
  const [beside, control]: [number[], number[]] = [[], []];
  for (let round = 0; round < 3; round += 1) {
    control.push(await turnBeside('/health'));
    beside.push(await turnBeside('/api/openapi.json'));
  }
  expect(Math.min(...beside)).toBeLessThan(2 * Math.min(...control) + 1_000);
});

test('the document costs less than to write it anew for each who asks', async () => {
  const document: unknown = await (await fetch(`${stack.url}/api/openapi.json`)).json();
  const took = { document: [] as number[], health: [] as number[], writing: [] as number[] };
  const time = async (times: number[], work: () => unknown) => {
    const began = performance.now();
    await work();
    times.push(performance.now() - began);
  };
  for (let i = 0; i < 60; i += 1) {
    await time(took.document, () => fetch(`${stack.url}/api/openapi.json`, { method: 'HEAD' }));
    await time(took.health, () => fetch(`${stack.url}/health`, { method: 'HEAD' }));
    await time(took.writing, () => createHash('sha1').update(JSON.stringify(document)).digest());
  }
  const median = (times: number[]) => times.sort((a, b) => a - b)[30] ?? 0;
  expect(median(took.document)).toBeLessThan(median(took.health) + 0.7 * median(took.writing));
});
