import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { expect, test } from '@jest/globals';

const file = (path: string) => fileURLToPath(new URL(path, import.meta.url));

/** Node's own timers are coarse: a limit of 1 s ends a call after 2 s at the latest. */
const SILENT_MS = 3_500;

/**
 * Node's `fetch` gives up after 300 s of silence, whatever a call allows. Here it does after 1 s, so that a call that
 * is made through it is cut while the test waits.
 */
const PROGRAM = `
  const dispatcher = Symbol.for('undici.globalDispatcher.1');
  await fetch('http://127.0.0.1:9').catch(() => {});
  const Agent = globalThis[dispatcher].constructor;
  globalThis[dispatcher] = new Agent({ headersTimeout: 1_000, bodyTimeout: 1_000 });
  const { createModelClient } = await import(${JSON.stringify(file('../../platform/model/client.ts'))});
  const { MODEL } = await import(${JSON.stringify(file('./stage.ts'))});
  const stall = { firstByteMs: 900_000, betweenMs: 900_000 };
  const client = createModelClient({ apiKey: 'x', baseUrl: process.argv[1], stall });
  const ask = (content) => client.stream(
    { model: MODEL, messages: [{ role: 'user', content }], outputLimit: 8_192, signal: new AbortController().signal },
    () => {},
  ).then(({ finishReason }) => finishReason, ({ code }) => code);
  console.log(JSON.stringify(await Promise.all([ask('late'), ask('halting')])));
  await client.close();
`;

test('silence before the headers and in mid-answer is limited by our own limits only, not by those of Node', async () => {
  const chunk = (choice: object) => `data: ${JSON.stringify({ choices: [{ index: 0, ...choice }] })}\n\n`;
  const answer = async (request: IncomingMessage, response: ServerResponse) => {
    const isLate = (await text(request)).includes('"late"');
    if (isLate) await setTimeout(SILENT_MS);
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.write(chunk({ delta: { content: 'a' } }));
    if (!isLate) await setTimeout(SILENT_MS);
    response.end(`${chunk({ delta: { content: 'b' }, finish_reason: 'stop' })}data: [DONE]\n\n`);
  };
  const server = createServer((request, response) => void answer(request, response));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  try {
    const program = spawn(
      process.execPath,
      ['--input-type=module-typescript', '--eval', PROGRAM, `http://127.0.0.1:${port}/v1`],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    );
    const [said, [code]] = await Promise.all([text(program.stdout), once(program, 'close')]);
    expect([JSON.parse(said), code]).toEqual([['stop', 'stop'], 0]);
  } finally {
    server.closeAllConnections();
    server.close();
  }
});
