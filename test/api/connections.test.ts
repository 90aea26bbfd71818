import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import express from 'express';
import { once } from 'node:events';
import { connect, type AddressInfo, type Socket } from 'node:net';
import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import { request } from 'node:http';
import { EventStream } from '../../api/http/event-stream.ts';
import { createBoundedServer } from '../../platform/http-server.ts';
import { startTestStack, type TestStack } from '../support/stack.ts';
import { until } from '../support/until.ts';

const MOST = 40;
let stack: TestStack;
const sockets: Socket[] = [];

beforeAll(async () => {
  stack = await startTestStack({ MAX_CONNECTIONS: String(MOST) }, { works: false, stalledAfterMs: 1_000 });
});
afterAll(async () => {
  sockets.forEach((socket) => socket.destroy());
  await stack.close();
});

/** @param from another address of this machine. */
function open(port: number, text = '', from = '127.0.0.1'): Socket {
  const socket = connect({ port, host: '127.0.0.1', localAddress: from }).on('error', () => {});
  if (text !== '') socket.write(text);
  socket.resume();
  sockets.push(socket);
  return socket;
}

const portOf = (url: string) => Number(new URL(url).port);
const ask = (path: string, times = 1) => `GET ${path} HTTP/1.1\r\nhost: turnkeeper\r\n\r\n`.repeat(times);

describe('a reader that takes nothing', () => {
  /** 14 MB, more than the system keeps for a connection by itself. */
  const MUCH = ask('/api/docs/swagger-ui-bundle.js', 8);

  test('loses its connection, though it sends a line break all the while', async () => {
    const deaf = open(portOf(stack.url), MUCH).pause();
    await until(() => {
      if (!deaf.destroyed) deaf.write('\r\n');
      return deaf.destroyed;
    }, 20_000);
    expect(deaf.destroyed).toBe(true);
  });

  test('and one that reads slowly, with pauses that are shorter, gets all of it', async () => {
    const slow = open(portOf(stack.url), MUCH);
    slow.on('data', () => {
      slow.pause();
      setTimeout(() => slow.resume(), 3);
    });
    await until(() => slow.bytesRead > 13_000_000 || slow.destroyed);
    expect(slow.destroyed).toBe(false);
    slow.destroy();
  });

  test('of an event stream keeps one event at most in memory, and the stream ends', async () => {
    let most = 0;
    let ended = false;
    const app = express().get('/', async (_request, response) => {
      const stream = new EventStream(response);
      for (let id = 1; !response.destroyed; id += 1) {
        await stream.send({ id: String(id), event: 'delta', data: 'x'.repeat(16_384) });
        most = Math.max(most, response.writableLength);
      }
      stream.end();
      ended = true;
    });
    const server = createBoundedServer(app, { mostConnections: 10, stalledAfterMs: 300 }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    open((server.address() as AddressInfo).port, ask('/')).pause();
    await until(() => ended);
    expect(most).toBeLessThan(65_536);
    server.close();
  });
});

describe('connections', () => {
  test('of one address take no place from another when all are taken, busy ones lose none', async () => {
    const port = portOf(stack.url);
    const greedy = Array.from({ length: MOST + 20 }, () => open(port, '', '127.0.0.2'));
    const left = () => greedy.filter(({ destroyed }) => !destroyed).length;
    await until(() => left() <= MOST);
    const others = Array.from({ length: 10 }, () => open(port, ask('/health')));
    await until(() => others.every(({ bytesRead }) => bytesRead > 0));
    expect(others.some(({ destroyed }) => destroyed)).toBe(false);
    await until(() => left() <= MOST - others.length);
    [...greedy, ...others].forEach((socket) => socket.destroy());
    await until(async () => (await fetch(`${stack.url}/health`).catch(() => null))?.status === 200);
  });

  test('whose bodies do not come take no place from another either', async () => {
    const port = portOf(stack.url);
    const address = 'POST /api/invitations/accept HTTP/1.1\r\nhost: turnkeeper\r\n';
    const head = `${address}expect: 100-continue\r\ncontent-length: 99\r\n\r\n{`;
    const greedy = Array.from({ length: MOST - 5 }, () => open(port, head, '127.0.0.2'));
    await until(() => greedy.every(({ bytesRead }) => bytesRead > 0));
    const others = Array.from({ length: 10 }, () => open(port, ask('/health')));
    await until(() => others.every(({ bytesRead, destroyed }) => bytesRead > 0 || destroyed));
    expect(others.some(({ destroyed }) => destroyed)).toBe(false);
    [...greedy, ...others].forEach((socket) => socket.destroy());
    await until(async () => (await fetch(`${stack.url}/health`).catch(() => null))?.status === 200);
  });

  test('whose headers never end, or never begin, are closed', async () => {
    const server = createBoundedServer((_request, response) => response.end('here'), {
      mostConnections: 10,
      headersWithinMs: 200,
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const [silent, endless] = [open(port), open(port, 'GET / HTTP/1.1\r\n')];
    const dripping = setInterval(() => endless.destroyed || endless.write('x: y\r\n'), 50);
    await until(() => [silent, endless].every(({ destroyed }) => destroyed), 10_000);
    clearInterval(dripping);
    server.close();
  });
});

test("the API's document is sent compressed to who takes it so, and in no form to who has it", async () => {
  const get = (headers: Record<string, string>) =>
    new Promise<{ status: number; encoding: string; etag: string; body: Buffer }>((resolve, reject) => {
      request(`${stack.url}/api/openapi.json`, { headers }, (response) => {
        const parts: Buffer[] = [];
        response.on('data', (part: Buffer) => parts.push(part));
        response.on('end', () =>
          resolve({
            status: response.statusCode ?? 0,
            encoding: response.headers['content-encoding'] ?? 'identity',
            etag: response.headers.etag ?? '',
            body: Buffer.concat(parts),
          }),
        );
      })
        .on('error', reject)
        .end();
    });
  const plain = await get({});
  for (const [accepted, encoding, unpack] of [
    ['gzip, deflate, br', 'br', brotliDecompressSync],
    ['gzip', 'gzip', gunzipSync],
  ] as const) {
    const form = await get({ 'accept-encoding': accepted });
    expect([form.encoding, form.body.length < plain.body.length / 4]).toEqual([encoding, true]);
    expect(unpack(form.body).equals(plain.body)).toBe(true);
    expect((await get({ 'accept-encoding': accepted, 'if-none-match': form.etag })).status).toBe(304);
    expect(form.etag).toBe(plain.etag);
  }
});
