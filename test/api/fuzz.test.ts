import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { pino } from 'pino';
import { growthOf } from '../../bench/fuzz/watch.ts';
import { fuzz } from '../../bench/fuzz/run.ts';
import { startTestStack, type TestStack } from '../support/stack.ts';

/** `npm run fuzz` goes on for as long as it is told to; this is its beginning, on the stack of a test. */
const CASES = 250;
let stack: TestStack;
const errors: string[] = [];

beforeAll(async () => {
  stack = await startTestStack({}, { log: pino({ level: 'error' }, { write: (line) => errors.push(line) }) });
});
afterAll(() => stack.close());

const options = { seed: 18, first: 0, atOnce: 4, slowMs: 20_000 };

test('what nobody should send gets no 5xx, no answer of another shape, and no line in the log', async () => {
  const keys = [(await stack.person('admin')).token, (await stack.person()).token];
  const figures = await fuzz({ ...options, url: stack.url, keys, goOn: (sent) => sent < CASES });
  expect(figures.faults).toEqual([]);
  expect(errors).toEqual([]);
  // Control: it came through the doors, and some of it was right.
  for (const status of [200, 400, 401, 403, 404, 405]) expect(figures.byStatus[status]).toBeGreaterThan(0);
});

test('control: it finds a 500, an error of another shape and silence, and names the case that does it again', async () => {
  const document = await (await fetch(`${stack.url}/api/openapi.json`)).text();
  let count = 0;
  const answer: RequestListener = (request, response) => {
    if (request.url === '/api/openapi.json') return void response.end(document);
    count += 1;
    if (count % 3 === 0) return void request.socket.destroy();
    response.writeHead(count % 3 === 1 ? 500 : 404).end('{"message":"x"}');
  };
  // An expectation of the client's would be refused by Node itself.
  const broken = createServer(answer).on('checkExpectation', answer).listen(0, '127.0.0.1');
  await once(broken, 'listening');
  try {
    const url = `http://127.0.0.1:${(broken.address() as AddressInfo).port}`;
    const { faults } = await fuzz({ ...options, url, keys: ['k'], atOnce: 1, goOn: (sent) => sent < 30 });
    const found = new Set(faults.map(({ what }) => what));
    expect(found).toEqual(new Set(['status 500', 'status 404 without the flat shape of errors', 'no answer']));
    const [first] = faults;
    const again = await fuzz({ ...options, url, keys: ['k'], first: first?.number ?? 0, goOn: (sent) => sent < 1 });
    expect(again.faults[0]?.request).toBe(first?.request);
  } finally {
    broken.close();
    broken.closeAllConnections();
  }
});

test('memory that stays is growth, and memory that comes and goes is none', () => {
  const samples = (of: (at: number) => number) =>
    Array.from({ length: 30 }, (_, at) => ({ at, megabytes: of(at), descriptors: 0, sockets: 0 }));
  expect(growthOf(samples((at) => 100 + at * 10))).toBe(100);
  expect(growthOf(samples((at) => (at < 10 ? at * 30 : 300 + (at % 3) * 50)))).toBe(0);
});
