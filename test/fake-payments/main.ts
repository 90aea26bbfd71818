import { parseArgs } from 'node:util';
import { startFakeStripe } from './stripe.ts';
import { startFakeToss } from './toss.ts';

// A fake provider as a process of its own. Its first line is {"url":…}; SIGTERM or SIGINT ends it.
// node test/fake-payments/main.ts --provider toss --port 9001
const { values } = parseArgs({ options: { provider: { type: 'string' }, port: { type: 'string', default: '0' } } });
const starts = { stripe: startFakeStripe, toss: startFakeToss };
const start = Object.entries(starts).find(([name]) => name === values.provider)?.[1];
if (start === undefined) throw new Error(`--provider must be one of ${Object.keys(starts).join(', ')}`);
const fake = await start(Number(values.port));
console.log(JSON.stringify({ url: fake.url }));
for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.once(signal, () => void fake.close().then(() => process.exit(0)));
