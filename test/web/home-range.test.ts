import { expect, test } from '@jest/globals';
import { changeOf, rangeOf } from '../../web/admin/home/range.ts';

test('the home spans a week that ends today unless the address says another range, and leaves what is no day to the API', () => {
  const range = (address: Record<string, string>) => Object.values(rangeOf(address, '2026-03-01'));
  expect(range({})).toEqual(['7d', '2026-02-23', '2026-03-01']);
  expect(range({ range: 'today' })).toEqual(['today', '2026-03-01', '2026-03-01']);
  expect(range({ range: '30d' })).toEqual(['30d', '2026-01-31', '2026-03-01']);
  expect(range({ range: 'month' })).toEqual(['month', '2026-03-01', '2026-03-01']);
  expect(range({ range: 'year' })).toEqual(['7d', '2026-02-23', '2026-03-01']);
  expect(range({ from: '2026-01-01', to: '2026-01-31' })).toEqual(['custom', '2026-01-01', '2026-01-31']);
  expect(range({ range: 'custom', to: '2026-01-31' })).toEqual(['custom', '2026-01-25', '2026-01-31']);
  expect(range({ range: 'custom', from: 'soon' })).toEqual(['custom', 'soon', '2026-03-01']);
  // A range by name forgets the days that were chosen before it.
  expect(range({ range: 'today', from: '2026-01-01' })).toEqual(['today', '2026-03-01', '2026-03-01']);
});

test('a change is told in whole percents, and none where there was nothing', () => {
  expect([changeOf(150, 100), changeOf(50, 200), changeOf(1, 3), changeOf(0, 5), changeOf(5, 0)]).toEqual([
    50,
    -75,
    -67,
    -100,
    null,
  ]);
});
