import { parseArgs } from 'node:util';
import { startFakeModel } from './server.ts';

// The fake model as a process of its own, for benches. Its first line is {"url":…}; SIGTERM or SIGINT ends it. A mark
// in a question scripts its answer.
const { values } = parseArgs({
  options: {
    port: { type: 'string', default: '0' },
    chunks: { type: 'string', default: '50' },
    'delay-ms': { type: 'string', default: '5' },
    text: { type: 'string', default: ' 토큰' },
  },
});
const model = await startFakeModel(Number(values.port));
model.always({ chunks: { count: Number(values.chunks), text: values.text }, delayMs: Number(values['delay-ms']) });
console.log(JSON.stringify({ url: model.url }));
for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.once(signal, () => void model.close().then(() => process.exit(0)));
