import type { Dice } from './dice.ts';

/** Texts that parsers, columns, calendars and Unicode stumble over. */
export const ODD_TEXTS = [
  '',
  ' ',
  '\u{200b}\u{3164}',
  '\0',
  'a\0b',
  '\ud800',
  'x\udfff',
  '\u{202e}abc',
  'e\u{301}'.repeat(50),
  '👨‍👩‍👧‍👦',
  '가'.repeat(300),
  'a'.repeat(33_000),
  '😀'.repeat(32_001),
  '%',
  '%00',
  '../../etc/passwd',
  "'; drop table users; --",
  '__proto__',
  'constructor',
  '-1',
  '+1',
  '01',
  '1e300',
  '9'.repeat(400),
  '9223372036854775807',
  'NaN',
  'true',
  'null',
  '[]',
  '0000-01-01T00:00:00Z',
  '9999-12-31T23:59:59.999Z',
  '+275760-09-13T00:00:00Z',
  '-271821-04-20T00:00:00Z',
  '2026-02-30T00:00:00Z',
  '0198c0de-0000-7000-8000-000000000000',
  '00000000-0000-0000-0000-000000000000',
  'Etc/GMT+14',
  '+09:00',
  'Asia/Seoul\0',
  'WzFd',
  'W251bGwsMV0',
  'WyJ4IiwxZTMwMF0',
] as const;

/** As they are written in JSON: some are beyond what a number of ours can hold. */
const ODD_NUMBERS = [
  '0',
  '-0',
  '-1',
  '1',
  '0.5',
  '2147483647',
  '2147483648',
  '-2147483649',
  '4294967296',
  '9007199254740991',
  '9007199254740993',
  '9223372036854775808',
  '1e300',
  '-1e300',
  '1e400',
  '1e-300',
  '105',
  '105.0000001',
  '1E2',
] as const;

/** A JSON text that is whatever its place does not expect. */
export function oddJson(dice: Dice): string {
  switch (dice.below(8)) {
    case 0:
      return dice.pick(['null', 'true', 'false', '[]', '{}', '""']);
    case 1:
      return dice.pick(ODD_NUMBERS);
    case 2:
      return `${'['.repeat(2_000)}${']'.repeat(2_000)}`;
    case 3:
      return '{"__proto__":{"admin":true},"constructor":{"prototype":{}}}';
    case 4:
      return `[${Array.from({ length: 2_000 }, () => '0').join()}]`;
    default:
      return JSON.stringify(dice.pick(ODD_TEXTS));
  }
}

/** What a header may say that is none of our own: ranges, conditions, encodings, upgrades. */
export const ODD_HEADERS: readonly (readonly [string, readonly string[]])[] = [
  ['Accept', ['*/*', 'text/event-stream', 'application/json', 'text/csv', 'a/b;q=x', ',,;q=', 'text/*;q=0']],
  ['Accept-Language', ['en', 'ko-KR', '*', 'x'.repeat(3_000), ';q=1,,']],
  ['Accept-Encoding', ['gzip', 'br', 'identity;q=0', '*;q=0', 'x']],
  ['Prefer', ['respond-async', 'respond-async, wait=1', 'x']],
  ['Idempotency-Key', ['k', 'k'.repeat(255), 'k'.repeat(256), 'a b', '\u{e9}']],
  ['Last-Event-ID', ['1-0', '0-0', '1-999999999999999', '9-9', 'x', '-1-1', '1-1-1', '1'.repeat(5_000)]],
  ['Range', ['bytes=0-0', 'bytes=999999999-', 'bytes=-0', 'bytes=5-2', 'x', `bytes=${'0-1,'.repeat(500)}`]],
  ['If-Match', ['*', '"x"', 'x', 'W/"a", "b"']],
  ['If-None-Match', ['*', '"x"']],
  ['If-Modified-Since', ['x', 'Thu, 01 Jan 9999 00:00:00 GMT']],
  ['If-Unmodified-Since', ['x', 'Thu, 01 Jan 1970 00:00:00 GMT']],
  [
    'Content-Type',
    ['application/json', 'application/json; charset=utf-16', 'text/plain', 'multipart/form-data', ';', 'a'],
  ],
  ['Content-Encoding', ['gzip', 'deflate', 'br', 'zstd', 'x', 'gzip, gzip', '']],
  ['Expect', ['100-continue', 'x']],
  ['Upgrade', ['websocket', 'h2c']],
  ['Connection', ['keep-alive', 'Upgrade', 'close, x']],
  ['Host', ['', 'a b', '127.0.0.1:99999', 'x'.repeat(300), '[::1']],
  ['X-Forwarded-For', ['1.2.3.4', 'x', ',']],
  ['X-Forwarded-Proto', ['https', 'x']],
  ['X-HTTP-Method-Override', ['DELETE', 'x']],
  ['traceparent', ['00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01', 'x']],
  ['Cookie', ['a=b', '='.repeat(2_000)]],
  ['Transfer-Encoding', ['chunked', 'gzip, chunked', 'x']],
  ['Content-Length', ['0', '5', '-1', '1e3', '99999999999999999999', '2, 2']],
];
