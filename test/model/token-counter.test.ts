import { afterAll, expect, test } from '@jest/globals';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { createTokenCounter } from '../../platform/tokens/token-counter.ts';
import { countTokens, loadEncoding } from '../../platform/tokens/tokenizer.ts';

const counter = createTokenCounter();
afterAll(() => counter.close());

/** The worst for a tokenizer: Han characters that no token joins. */
const worst = (length: number) =>
  String.fromCharCode(...Array.from({ length }, () => 0x4e00 + Math.floor(Math.random() * 0x5000)));

test('a long text has the count that it has in this thread, and stops nothing meanwhile', async () => {
  loadEncoding('o200k_base');
  const texts = Array.from({ length: 3 }, () => worst(60_000));
  // The first starts the thread.
  await counter.count(worst(8_000), 'o200k_base', 1);
  const pauses = monitorEventLoopDelay({ resolution: 5 });
  pauses.enable();
  const counts = await Promise.all(texts.map(async (text) => counter.count(text, 'o200k_base', 1)));
  pauses.disable();
  const began = performance.now();
  expect(counts).toEqual(texts.map((text) => countTokens(text, 'o200k_base')));
  // The control: the same in this thread is one long pause, on however slow a machine.
  expect(pauses.max / 1e6).toBeLessThan((performance.now() - began) / 3);
});

test('a text waits for its own account, and only for one text of each other', async () => {
  const done: string[] = [];
  const count = async (by: number, name: string) => {
    await counter.count(worst(8_000), 'o200k_base', by);
    done.push(name);
  };
  await Promise.all([...Array.from({ length: 6 }, (_, index) => count(1, `1.${index}`)), count(2, '2'), count(3, '3')]);
  expect(done).toEqual(['1.0', '1.1', '2', '3', '1.2', '1.3', '1.4', '1.5']);
});

test('a thread that is closed takes its texts along, and the next text starts another', async () => {
  const other = createTokenCounter();
  const lost = [1, 1, 2].map(async (by) => other.count(worst(8_000), 'o200k_base', by));
  const refused = lost.map((one) => expect(one).rejects.toThrow('the thread of count-thread.ts has ended'));
  await other.close();
  await Promise.all(refused);
  expect(other.waiting()).toBe(0);
  const text = worst(8_000);
  expect(await other.count(text, 'o200k_base', 1)).toBe(countTokens(text, 'o200k_base'));
  await other.close();
});
