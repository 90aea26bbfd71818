import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readlinkSync, rmSync } from 'node:fs';
import { request } from 'node:http';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { mintDemoKeys } from '../../scripts/demo-keys.ts';
import { isLoopback } from '../../platform/config/loopback.ts';
import { openProxy } from '../support/proxy.ts';
import { startTestStack, type TestStack } from '../support/stack.ts';
import { until } from '../support/until.ts';

const JSON_BODY = { 'content-type': 'application/json' };
const HTML = { accept: 'text/html,application/xhtml+xml,*/*;q=0.8' };
let stack: TestStack;
let dataDir: string;
/** The demo's secret. */
let secret: string;

beforeAll(async () => {
  dataDir = mkdtempSync(join(tmpdir(), 'turnkeeper-web-'));
  stack = await startTestStack(
    { WEB_DIR: process.env['TEST_WEB_DIR'], TURNKEEPER_EMBEDDED: 'true', DATA_DIR: dataDir } as Record<string, string>,
    { works: false },
  );
  ({ secret } = await mintDemoKeys(stack.db.database, dataDir));
});
afterAll(async () => {
  await stack.close();
  rmSync(dataDir, { recursive: true, force: true });
});

const get = (path: string, headers: Record<string, string> = HTML) => fetch(`${stack.url}${path}`, { headers });

/** Sends headers that `fetch` does not allow. */
function raw(
  method: string,
  path: string,
  headers: Record<string, string>,
  body = '',
): Promise<{ status: number; body: any }> {
  return new Promise((resolve, reject) => {
    const sent = request(`${stack.url}${path}`, { method, headers }, (response) => {
      let text = '';
      response.on('data', (data: Buffer) => {
        text += data.toString();
      });
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, body: text === '' ? null : JSON.parse(text) }),
      );
    });
    sent.on('error', reject).end(body);
  });
}

describe('the web app at /', () => {
  test('is a page that runs no inline script and loads nothing from elsewhere', async () => {
    const response = await get('/');
    const policy = response.headers.get('content-security-policy') ?? '';
    const [page, again] = [await response.text(), await (await get('/')).text()];
    const directives = new Map(
      policy.split('; ').map((directive) => [directive.split(' ')[0], directive.split(' ').slice(1).join(' ')]),
    );
    const nonce = /nonce="([^"]+)"/.exec(page)?.[1] ?? '';
    expect(Object.fromEntries(directives)).toEqual({
      'default-src': "'none'",
      'script-src': "'self'",
      'style-src': `'self' 'nonce-${nonce}'`,
      'img-src': "'self' data: blob:",
      'font-src': "'self'",
      'manifest-src': "'self'",
      'connect-src': "'self'",
      'base-uri': "'none'",
      'form-action': "'none'",
      'frame-ancestors': "'none'",
      'require-trusted-types-for': "'script'",
    });
    expect(nonce.length).toBeGreaterThan(20);
    expect(again).not.toContain(nonce);
    expect(page).not.toMatch(/<script(?![^>]* src=)[^>]*>|<style| on\w+=/);
    expect(response.headers.get('cache-control')).toBe('no-cache');
  });

  test('can be installed in either language, with icons in the sizes that it names', async () => {
    const page = await (await get('/')).text();
    const [address] = [...page.matchAll(/<link rel="manifest" href="([^"]+)"/g)].map(([, href = '']) => href);
    expect(address).toBe('/manifest.webmanifest');
    for (const path of ['/manifest.webmanifest', '/manifest.en.webmanifest']) {
      const response = await get(path);
      expect(response.headers.get('content-type')).toMatch(/^application\/manifest\+json/);
      const manifest = (await response.json()) as {
        name: string;
        lang: string;
        display: string;
        icons: { src: string; sizes: string; type: string; purpose?: string }[];
      };
      expect([manifest.name, manifest.display]).toEqual(['Turnkeeper', 'standalone']);
      expect(manifest.lang).toBe(path.includes('.en.') ? 'en' : 'ko');
      expect(manifest.icons.map(({ purpose = 'any' }) => purpose)).toContain('maskable');
      for (const { src, sizes, type } of manifest.icons) {
        const icon = Buffer.from(await (await get(src)).arrayBuffer());
        // A PNG's width and height stand at the beginning of its first chunk.
        if (type === 'image/png') expect(`${icon.readUInt32BE(16)}x${icon.readUInt32BE(20)}`).toBe(sizes);
        else expect(icon.toString()).toContain('<svg');
      }
    }
    const touch = Buffer.from(await (await get('/apple-touch-icon.png')).arrayBuffer());
    expect(touch.readUInt32BE(16)).toBe(180);
  });

  test('lets a page of no origin read its assets, and nothing else', async () => {
    const script = /href="(\/assets\/app-[^"]+\.js)"/.exec(await (await get('/')).text())?.[1] ?? '';
    const allowed = async (path: string) => (await get(path)).headers.get('access-control-allow-origin');
    expect(await allowed(script)).toBe('*');
    for (const path of ['/', '/favicon.svg', '/api/me', '/api/models'])
      expect([path, await allowed(path)]).toEqual([path, null]);
  });

  test("answers every page of its own, and leaves the API's 404s alone", async () => {
    for (const path of ['/', '/c/01a20cec-8374-7143-86a0-b6796a24494f', '/usage', '/admin/turns?code=interrupted']) {
      expect([path, (await get(path)).status, (await get(path)).headers.get('content-type')]).toEqual([
        path,
        200,
        'text/html; charset=utf-8',
      ]);
    }
    const plain = await fetch(`${stack.url}/`);
    expect([plain.status, plain.headers.get('content-type')]).toEqual([200, 'text/html; charset=utf-8']);
    for (const [path, status] of [
      ['/api', 401],
      ['/api/none', 401],
      ['/API/none', 401],
      ['/health/none', 404],
      ['/assets/none.js', 404],
      ['/none.php', 404],
    ] as const) {
      const response = await get(path);
      expect([path, response.status, await response.json()]).toEqual([
        path,
        status,
        expect.objectContaining({ code: status === 401 ? 'unauthorized' : 'not_found' }),
      ]);
    }
    // A program that asks for an unknown address is not a browser.
    expect((await get('/none', { accept: 'application/json' })).status).toBe(404);
    expect((await fetch(`${stack.url}/usage`, { method: 'POST', headers: HTML })).status).toBe(404);
  });

  test('its hashed files are kept for ever, compressed when asked for, and its names cannot leave the folder', async () => {
    const script = /href="(\/assets\/app-[^"]+\.js)"/.exec(await (await get('/')).text())?.[1] ?? '';
    for (const [accepted, encoding] of [
      ['br', 'br'],
      ['gzip', 'gzip'],
      ['identity', null],
    ] as const) {
      const response = await get(script, { 'accept-encoding': accepted });
      expect([
        response.status,
        response.headers.get('content-encoding'),
        response.headers.get('cache-control'),
        response.headers.get('vary'),
      ]).toEqual([200, encoding, 'public, max-age=31536000, immutable', 'Accept-Encoding']);
      expect((await response.text()).length).toBeGreaterThan(100_000);
    }
    expect((await raw('GET', '/assets/../../../package.json', {})).status).toBe(404);
    expect((await raw('GET', '/assets/%2e%2e/%2e%2e/package.json', {})).status).toBe(404);
  });
});

describe('a range beyond the end of a file', () => {
  test.each(['a file of the app', "a file of the API's page"])(
    'of %s is 416 with its length, uncompressed and kept by nobody',
    async (which) => {
      const script = /href="(\/assets\/app-[^"]+\.js)"/.exec(await (await get('/')).text())?.[1] ?? '';
      const path = which === 'a file of the app' ? script : '/api/docs/swagger-ui-bundle.js';
      const beyond = await get(path, { range: 'bytes=99999999-', 'accept-encoding': 'gzip' });
      expect([
        beyond.status,
        beyond.headers.get('content-encoding'),
        beyond.headers.get('etag'),
        beyond.headers.get('cache-control'),
        beyond.headers.get('content-type'),
      ]).toEqual([416, null, null, 'no-store', 'application/json; charset=utf-8']);
      expect(beyond.headers.get('content-range')).toMatch(/^bytes \*\/\d{6,}$/);
      expect(await beyond.json()).toMatchObject({
        code: 'invalid_request',
        requestId: beyond.headers.get('x-request-id'),
      });
      const within = await get(path, { range: 'bytes=0-9', 'accept-encoding': 'identity' });
      expect([within.status, (await within.text()).length]).toEqual([206, 10]);
    },
  );

  test('a condition that does not hold is 412', async () => {
    expect((await get('/api/docs/swagger-ui-bundle.js', { 'if-match': '"another"' })).status).toBe(412);
  });
});

describe('one connection', () => {
  const ask = (path: string, times: number) =>
    `GET ${path} HTTP/1.1\r\nhost: ${new URL(stack.url).host}\r\n\r\n`.repeat(times);
  const open = (text: string): Socket => {
    const socket = connect(Number(new URL(stack.url).port), '127.0.0.1').on('error', () => {});
    socket.write(text);
    return socket;
  };
  const answersIn = (text: string) => text.split('HTTP/1.1 200').length - 1;

  test('that asks 1,000 times and reads nothing is cut off, and meanwhile others are answered', async () => {
    const health = async () => {
      const began = performance.now();
      expect((await get('/health')).status).toBe(200);
      return performance.now() - began;
    };
    const before = Math.max(await health(), await health(), await health());
    const socket = open(ask('/api/openapi.json', 1_000));
    await once(socket, 'ready');
    expect(await health()).toBeLessThan(500 + 10 * before);
    let answered = '';
    socket.on('data', (data: Buffer) => {
      answered += data.toString('latin1');
    });
    await once(socket, 'close');
    expect(answersIn(answered)).toBeLessThan(2);
  });

  test('that asks for a few things at once gets them in order', async () => {
    let answered = '';
    const socket = open(ask('/health', 8) + ask('/api/openapi.json', 1) + ask('/health', 1)).on(
      'data',
      (data: Buffer) => {
        answered += data.toString('latin1');
      },
    );
    await until(() => answersIn(answered) === 10);
    expect(answered.split('HTTP/1.1 200').map((answer) => answer.includes('ErrorCode'))).toEqual([
      ...Array<boolean>(9).fill(false),
      true,
      false,
    ]);
    socket.destroy();
  });

  test('that goes leaves no file open', async () => {
    const script = /href="(\/assets\/app-[^"]+\.js)"/.exec(await (await get('/')).text())?.[1] ?? '';
    for (const path of ['/api/docs/swagger-ui-bundle.js', script]) {
      const sockets = Array.from({ length: 10 }, () => open(ask(path, 16)));
      await until(() => sockets.every(({ bytesRead }) => bytesRead > 0));
      sockets.forEach((socket) => socket.destroy());
      await until(() => openFiles(path) === 0);
    }
  });

  function openFiles(path: string): number {
    return readdirSync('/proc/self/fd').filter((fd) => {
      try {
        return readlinkSync(`/proc/self/fd/${fd}`).includes(basename(path));
      } catch {
        // Closed meanwhile.
        return false;
      }
    }).length;
  }
});

test("the API's document is the same bytes each time, and not sent to who has it", async () => {
  const first = await get('/api/openapi.json');
  const etag = first.headers.get('etag') ?? '';
  expect([first.status, first.headers.get('content-type'), etag.length > 20]).toEqual([
    200,
    'application/json; charset=utf-8',
    true,
  ]);
  for (const [known, status] of [
    [etag, 304],
    ['"another"', 200],
  ] as const)
    expect((await raw('GET', '/api/openapi.json', { 'if-none-match': known })).status).toBe(status);
});

describe('the demo sign-in', () => {
  const demo = (body: object, url = stack.url) =>
    fetch(`${url}/api/auth/demo`, { method: 'POST', headers: JSON_BODY, body: JSON.stringify(body) });

  test("gives the demo user's and the demo admin's key to who has the secret of this start", async () => {
    expect(await (await get('/api/auth/options')).json()).toEqual({ demo: true, provider: null });
    for (const [as, userId, role] of [
      ['user', 1, 'user'],
      ['admin', 2, 'admin'],
    ] as const) {
      const response = await demo({ as, secret });
      expect([response.status, response.headers.get('cache-control')]).toEqual([200, 'no-store']);
      const { token } = (await response.json()) as { token: string };
      expect(await (await get('/api/me', { authorization: `Bearer ${token}` })).json()).toMatchObject({ userId, role });
    }
    expect((await demo({ as: 'root', secret })).status).toBe(400);
  });

  test('gives it to nobody without the secret: not from this machine, not through a proxy that says nothing of whom it lets in', async () => {
    const proxy = await openProxy(stack.url);
    try {
      for (const url of [stack.url, `http://${proxy.address}`]) {
        for (const as of ['user', 'admin']) {
          for (const wrong of [
            {},
            { secret: '' },
            { secret: 'x' },
            { secret: secret.toUpperCase() },
            { secret: secret.slice(1) },
            { secret: `${secret}=` },
          ]) {
            const response = await demo({ as, ...wrong }, url);
            expect([url, as, wrong, response.status, await response.json()]).toEqual([
              url,
              as,
              wrong,
              404,
              expect.objectContaining({ code: 'not_found' }),
            ]);
          }
        }
        expect((await demo({ as: 'admin', secret }, url)).status).toBe(200);
      }
    } finally {
      await proxy.close();
    }
    // A proxy may put its target's name in the place of its own.
    expect(
      await raw('POST', '/api/auth/demo', { ...JSON_BODY, host: new URL(stack.url).host }, '{"as":"admin"}'),
    ).toMatchObject({ status: 404, body: { code: 'not_found' } });
  });

  test('has another secret with each start, and the one before no longer works', async () => {
    const before = secret;
    ({ secret } = await mintDemoKeys(stack.db.database, dataDir));
    expect(secret).not.toBe(before);
    expect([(await demo({ as: 'user', secret: before })).status, (await demo({ as: 'user', secret })).status]).toEqual([
      404, 200,
    ]);
  });

  test('is off for production, when the service listens beyond this machine, and without an embedded stack', async () => {
    for (const env of [
      { TURNKEEPER_EMBEDDED: 'true', NODE_ENV: 'production', TEST_ROUTES: 'false' },
      { TURNKEEPER_EMBEDDED: 'true', HOST: '0.0.0.0' },
      { TURNKEEPER_EMBEDDED: 'false' },
    ]) {
      const other = await startTestStack({ DATA_DIR: dataDir, ...env }, { works: false });
      try {
        expect(await (await fetch(`${other.url}/api/auth/options`)).json()).toEqual({ demo: false, provider: null });
        expect((await demo({ as: 'admin', secret }, other.url)).status).toBe(404);
        // Without WEB_DIR there is only the API.
        expect((await fetch(`${other.url}/`, { headers: HTML })).status).toBe(404);
      } finally {
        await other.close();
      }
    }
  });

  test('knows loopback by every spelling, and nothing else by one', () => {
    expect(
      ['127.0.0.1', '127.9.9.9', 'localhost', 'LOCALHOST', '::1', '[::1]', '::ffff:127.0.0.1'].filter(
        (host) => !isLoopback(host),
      ),
    ).toEqual([]);
    expect(
      [
        '0.0.0.0',
        '::',
        '',
        '127.0.0.1.evil.example',
        '127.evil',
        '192.168.0.1',
        'localhost.evil.example',
        '::ffff:10.0.0.1',
      ].filter(isLoopback),
    ).toEqual([]);
  });
});
