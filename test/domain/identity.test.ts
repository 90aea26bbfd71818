import { expect, test } from '@jest/globals';
import { emailOf, localeOf, roleOf, timeZoneOf } from '../../domain/identity.ts';

test('an admin is whoever holds the very word in the very claim, by its name or by a path', () => {
  const rule = (claim: string) => ({ claim, adminRole: 'boss' });
  expect(roleOf({ roles: ['x', 'boss'] }, rule('roles'))).toBe('admin');
  expect(roleOf({ role: 'boss' }, rule('role'))).toBe('admin');
  expect(roleOf({ realm_access: { roles: ['boss'] } }, rule('realm_access.roles'))).toBe('admin');
  expect(roleOf({ 'https://example.com/roles': ['boss'] }, rule('https://example.com/roles'))).toBe('admin');
  // A claim of that very name comes before a path through another claim.
  expect(roleOf({ 'a.b': ['x'], a: { b: ['boss'] } }, rule('a.b'))).toBe('user');
});

test('nothing else makes an admin: no rule, no claim, no likeness, no other shape, nothing inherited', () => {
  expect(roleOf({ roles: ['boss', 'admin', null] }, { claim: 'roles', adminRole: null })).toBe('user');
  for (const roles of [
    undefined,
    null,
    '',
    'bosses',
    'Boss',
    ' boss',
    ['bo', 'ss'],
    [['boss']],
    { boss: true },
    { 0: 'boss' },
    true,
    7,
  ]) {
    expect([roles, roleOf({ roles }, { claim: 'roles', adminRole: 'boss' })]).toEqual([roles, 'user']);
  }
  expect(
    roleOf(Object.create({ roles: ['boss'] }) as Record<string, unknown>, { claim: 'roles', adminRole: 'boss' }),
  ).toBe('user');
  expect(roleOf({ a: null }, { claim: 'a.b.c', adminRole: 'boss' })).toBe('user');
  expect(roleOf({ name: 'Object' }, { claim: 'constructor.name', adminRole: 'Object' })).toBe('user');
});

test('an address is the issuer’s word or none', () => {
  expect(emailOf({ email: 'Kim@Example.com', email_verified: true })).toBe('kim@example.com');
  for (const claims of [
    { email: 'kim@example.com' },
    { email: 'kim@example.com', email_verified: 'true' },
    { email: 'kim@example.com', email_verified: false },
    { email: 'kim', email_verified: true },
    { email: 'a b@example.com', email_verified: true },
    { email: ['kim@example.com'], email_verified: true },
    { email: 'kim\0@example.com', email_verified: true },
  ])
    expect([claims, emailOf(claims)]).toEqual([claims, null]);
});

test('language and zone begin with what the issuer says, if we know it', () => {
  expect(
    ['en', 'en-US', 'EN-gb', 'ko', 'ko-KR', 'fr', 'enx', 7, undefined].map((locale) => localeOf({ locale })),
  ).toEqual(['en', 'en', 'en', 'ko', 'ko', 'ko', 'ko', 'ko', 'ko']);
  expect(
    ['Europe/London', 'Asia/Calcutta', 'Mars/Olympus', 'BST', 9, undefined].map((zoneinfo) => timeZoneOf({ zoneinfo })),
  ).toEqual(['Europe/London', 'Asia/Kolkata', 'Asia/Seoul', 'Asia/Seoul', 'Asia/Seoul', 'Asia/Seoul']);
});
