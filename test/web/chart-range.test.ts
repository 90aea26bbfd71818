import { expect, test } from '@jest/globals';
import { chartRange } from '../../web/admin/turns/chart-range.ts';

const NOW = Date.parse('2026-11-25T03:20:00Z');
const of = (address: Record<string, string>) => chartRange(address, 'Asia/Seoul', NOW);

test('without days it ends with the present hour and is as long as asked: hours up to a week, whole days beyond', () => {
  const to = '2026-11-25T04:00:00.000Z';
  expect(of({})).toEqual({ bucket: 'hour', from: '2026-11-24T04:00:00.000Z', to, cut: false });
  expect(of({ span: 'week' })).toEqual({ bucket: 'hour', from: '2026-11-18T04:00:00.000Z', to, cut: false });
  expect(of({ span: 'month' })).toEqual({ bucket: 'day', from: '2026-10-26T15:00:00.000Z', to, cut: false });
  expect(of({ span: 'century' })).toEqual(of({}));
  expect(chartRange({}, 'Asia/Seoul', NOW + 39 * 60_000)).toEqual(of({}));
});

test('the filter’s days are its range, and of a longer one than the API takes its end', () => {
  expect(of({ from: '2026-11-20', to: '2026-11-21', span: 'quarter' })).toEqual({
    bucket: 'hour',
    from: '2026-11-19T15:00:00.000Z',
    to: '2026-11-21T15:00:00.000Z',
    cut: false,
  });
  expect(of({ from: '2026-10-01', to: '2026-11-21' })).toEqual({
    bucket: 'day',
    from: '2026-09-30T15:00:00.000Z',
    to: '2026-11-21T15:00:00.000Z',
    cut: false,
  });
  expect(of({ from: '2026-01-01' })).toEqual({
    bucket: 'day',
    from: '2026-08-25T04:00:00.000Z',
    to: '2026-11-25T04:00:00.000Z',
    cut: true,
  });
  expect(of({ to: '2026-11-21' })).toMatchObject({ bucket: 'day', to: '2026-11-21T15:00:00.000Z', cut: true });
});

test('what is no range has no chart', () => {
  expect([of({ from: '2026-11-25', to: '2026-11-20' }), of({ from: 'yesterday' }), of({ to: 'x' })]).toEqual([
    null,
    null,
    null,
  ]);
});
