import { expect, test } from '@jest/globals';
import { createMetrics } from '../../platform/telemetry/metrics.ts';
import { until } from '../support/until.ts';

test('a pause of the event loop is in the metrics, though nobody scraped meanwhile', async () => {
  const metrics = createMetrics({ role: 'api', readSdk: null });
  const longest = async () =>
    Number(/^turnkeeper_event_loop_longest_pause_seconds (\S+)$/m.exec(await metrics.render())?.[1]);
  // A pause before the first look is nobody's.
  await until(async () => (await longest()) > 0);
  const end = performance.now() + 700;
  while (performance.now() < end);
  await until(async () => (await longest()) >= 0.6);
  // It stays for a minute: a scrape does not take it away from the next.
  expect(await longest()).toBeGreaterThanOrEqual(0.6);
});
