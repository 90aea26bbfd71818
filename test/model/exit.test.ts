import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { text as readText } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { expect, test } from '@jest/globals';
import { mark } from '../fake-model/scenario.ts';

const file = (path: string) => fileURLToPath(new URL(path, import.meta.url));

/** Calls the model twice and closes its client; then it has nothing more to do. */
const PROGRAM = `
  import { createModelClient } from ${JSON.stringify(file('../../platform/model/client.ts'))};
  import { MODEL } from ${JSON.stringify(file('./stage.ts'))};
  const client = createModelClient({ apiKey: 'x', baseUrl: process.argv[1] });
  const ask = (content, onDelta = () => {}) => client.stream({ model: MODEL, messages: [{ role: 'user', content }], outputLimit: 500, signal: new AbortController().signal }, onDelta);
  const whole = await ask('hi');
  const { promise: started, resolve } = Promise.withResolvers();
  const cut = ask(${JSON.stringify(mark({ chunks: { count: 1_000, text: 'x' }, delayMs: 20, honourLimit: false }))}, resolve);
  await started;
  await client.close();
  console.log(JSON.stringify([whole.finishReason, (await cut).aborted]));
`;

test('a process whose client is closed, in mid-answer too, ends by itself at once', async () => {
  const fake = spawn(process.execPath, [file('../fake-model/main.ts'), '--chunks', '3', '--delay-ms', '1'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  try {
    const [line] = (await once(createInterface({ input: fake.stdout }), 'line')) as [string];
    const { url } = JSON.parse(line) as { url: string };
    const program = spawn(process.execPath, ['--input-type=module-typescript', '--eval', PROGRAM, url], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const lines: string[] = [];
    createInterface({ input: program.stdout }).on('line', (text) => lines.push(`${text} ${performance.now()}`));
    const [code] = (await once(program, 'close')) as [number];
    const [answers, at] = lines[0]?.split(' ') ?? [];
    expect({ code, answers }).toEqual({ code: 0, answers: '["stop",true]' });
    // An open handle would keep the process alive for the 4 s that an idle connection is kept, or for ever.
    expect(performance.now() - Number(at)).toBeLessThan(3_500);
  } finally {
    fake.kill('SIGTERM');
    await once(fake, 'close');
  }
});

/** Its provider sends all and the end of the body at once, and each call is aborted as soon as it has ended. */
const ABORTED_AT_THE_END = `
  import { createServer } from 'node:http';
  import { createModelClient } from ${JSON.stringify(file('../../platform/model/client.ts'))};
  import { MODEL } from ${JSON.stringify(file('./stage.ts'))};
  const server = createServer((request, response) => {
    request.resume();
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.end('data: {"choices":[{"index":0,"delta":{"content":"a"},"finish_reason":"stop"}]}\\n\\ndata: [DONE]\\n\\n');
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const client = createModelClient({ apiKey: 'x', baseUrl: 'http://127.0.0.1:' + server.address().port + '/v1' });
  for (let n = 0; n < 5; n += 1) {
    const abort = new AbortController();
    const messages = [{ role: 'user', content: 'hi' }];
    const { finishReason } = await client.stream({ model: MODEL, messages, outputLimit: 5, signal: abort.signal }, () => {});
    abort.abort();
    console.log(finishReason);
  }
  await client.close();
  server.close();
`;

test('a call that is aborted at the moment at which its answer has ended harms nobody', async () => {
  const program = spawn(process.execPath, ['--input-type=module-typescript', '--eval', ABORTED_AT_THE_END], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [said, [code]] = await Promise.all([readText(program.stdout), once(program, 'close')]);
  expect([said.trim().split('\n'), code]).toEqual([Array(5).fill('stop'), 0]);
});
