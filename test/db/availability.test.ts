import { expect, test } from '@jest/globals';
import { isUnavailable } from '../../db/driver/availability.ts';

test.each([
  ['08006', true],
  ['53300', true],
  ['57P01', true],
  ['57014', true],
  ['55P03', true],
  ['25006', true],
  ['25P03', true],
  ['25P04', true],
  ['25P02', false],
  ['23505', false],
  ['42P01', false],
  ['40P01', false],
])('SQL state %s is an outage: %s', (code, is) => {
  expect(isUnavailable(Object.assign(new Error('a message'), { code }))).toBe(is);
  expect(isUnavailable(new Error('wrapped', { cause: Object.assign(new Error('a message'), { code }) }))).toBe(is);
});
