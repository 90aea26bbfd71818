import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { startTestStack, type Person, type TestStack } from '../support/stack.ts';

const UNKNOWN = '01a20cec-8374-7143-86a0-b6796a24494f';
let stack: TestStack;
let admin: Person;

beforeAll(async () => {
  stack = await startTestStack({}, { works: false });
  admin = await stack.person('admin');
});
afterAll(() => stack.close());

const get = (path: string, headers: Record<string, string> = {}) => fetch(stack.url + path, { headers });

/** What the links of mails lead to: pages with a look of their own and one button. */
const PAGES = new Set(['/unsubscribe', '/confirm-address']);
const PAGE_POLICY =
  /^default-src 'none'; style-src 'sha256-[\w+/=]+'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'$/;

describe('a browser', () => {
  test('keeps no answer of any call and puts none into a frame, whoever asks', async () => {
    const { paths } = (await (await get('/api/openapi.json')).json()) as { paths: Record<string, object> };
    const seen = new Set<number>();
    for (const [path, methods] of Object.entries(paths))
      for (const method of Object.keys(methods))
        for (const token of ['', admin.token]) {
          const stop = new AbortController();
          const answer = await fetch(stack.url + path.replaceAll(/\{\w+\}/g, UNKNOWN), {
            method: method.toUpperCase(),
            headers: { authorization: `Bearer ${token}` },
            signal: stop.signal,
          });
          // The account's feed never ends by itself.
          stop.abort();
          seen.add(answer.status);
          const { headers } = answer;
          expect([method, path, answer.status, headers.get('cache-control')]).toEqual([
            method,
            path,
            answer.status,
            expect.stringMatching(/^no-store(, no-transform)?$/),
          ]);
          expect([path, headers.get('content-security-policy'), headers.get('x-frame-options')]).toEqual([
            path,
            expect.stringMatching(PAGES.has(path) ? PAGE_POLICY : /^default-src 'none'; frame-ancestors 'none'$/),
            'DENY',
          ]);
          expect([path, headers.get('x-content-type-options')]).toEqual([path, 'nosniff']);
        }
    expect([...seen].sort()).toEqual(expect.arrayContaining([200, 400, 401, 404]));
  });

  test('is told to come back by TLS where it came by TLS, and only there', async () => {
    const told = async (headers: Record<string, string>) =>
      (await get('/health', headers)).headers.get('strict-transport-security');
    for (const headers of [
      { 'x-forwarded-proto': 'https' },
      { 'x-forwarded-proto': 'HTTPS, http' },
      { forwarded: 'for=192.0.2.60;proto=https;by=203.0.113.43' },
    ])
      expect([headers, await told(headers)]).toEqual([headers, 'max-age=31536000']);
    for (const headers of [
      {},
      { 'x-forwarded-proto': 'http' },
      { 'x-forwarded-proto': 'http, https' },
      { forwarded: 'for=192.0.2.60;proto=http' },
    ])
      expect([headers, await told(headers)]).toEqual([headers, null]);
  });
});

describe('the page of the API', () => {
  test('names no foreign origin and may reach none', async () => {
    const page = await get('/api/docs');
    const text = await page.text();
    expect([...text.matchAll(/(?:src|href)="([^"]*)"/g)].map(([, address]) => address)).toEqual([
      '/api/docs/swagger-ui.css',
      '/api/docs/favicon-32x32.png',
      '/api/docs/swagger-ui-bundle.js',
      '/api/docs/start.js',
    ]);
    expect(page.headers.get('content-security-policy')?.split('; ')).toEqual([
      "default-src 'none'",
      "script-src 'self'",
      "style-src 'self' 'unsafe-inline'",
      "img-src 'self' data:",
      "connect-src 'self'",
      "base-uri 'none'",
      "form-action 'none'",
      "frame-ancestors 'none'",
    ]);
    expect(await (await get('/api/docs/start.js')).text()).toContain('validatorUrl: null');
  });

  test('serves three files of its package, and no page of it', async () => {
    const folder = dirname(createRequire(import.meta.url).resolve('swagger-ui-dist/package.json'));
    // The control: the package does have pages, which load what lies elsewhere.
    expect(readFileSync(join(folder, 'swagger-initializer.js'), 'utf8')).toContain('https://petstore.swagger.io');
    const served = [];
    for (const name of readdirSync(folder)) if ((await get(`/api/docs/${name}`)).ok) served.push(name);
    expect(served.sort()).toEqual(['favicon-32x32.png', 'swagger-ui-bundle.js', 'swagger-ui.css']);
  });
});
