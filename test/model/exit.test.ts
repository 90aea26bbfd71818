import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
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
    expect(performance.now() - Number(at)).toBeLessThan(2_000);
  } finally {
    fake.kill('SIGTERM');
    await once(fake, 'close');
  }
});
