import { expect, test } from '@jest/globals';
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { withSmallHeaps } from '../../worker/small-heaps.ts';

/** Fills its young generation for a while, and tells how large it became, in megabytes. */
const THREAD = `
  const { getHeapSpaceStatistics } = require('node:v8');
  let kept = [];
  for (let round = 0; round < 400; round += 1) {
    kept = kept.slice(-40);
    for (let i = 0; i < 10; i += 1) kept.push(new Array(2_000).fill(round));
  }
  const { space_size } = getHeapSpaceStatistics().find(({ space_name }) => space_name === 'new_space');
  require('node:worker_threads').parentPort.postMessage(space_size / 2 ** 20);
`;

async function youngMegabytes(): Promise<number> {
  const thread = new Worker(THREAD, { eval: true });
  const [megabytes] = (await once(thread, 'message')) as [number];
  await thread.terminate();
  return megabytes;
}

test('a workflow thread has a small young generation, and a thread that is made later has not', async () => {
  expect(await withSmallHeaps(youngMegabytes)).toBeLessThanOrEqual(8);
  expect(await youngMegabytes()).toBeGreaterThan(8);
  await expect(withSmallHeaps(() => Promise.reject(new Error('no thread')))).rejects.toThrow('no thread');
  expect(await youngMegabytes()).toBeGreaterThan(8);
});
