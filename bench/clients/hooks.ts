import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { z } from 'zod';
import { plainEnvironment } from '../../scripts/services/environment.ts';

/** A webhook as it came. */
interface Heard {
  readonly body: string;
  readonly headers: Readonly<Record<string, unknown>>;
}

/** A server of somebody's that hears webhooks. `host` is what the program must be allowed to call. */
export interface HookEar {
  readonly host: string;
  /** The next one that comes. @throws when none does within 30 s. */
  next(): Promise<Heard>;
  close(): void;
}

export async function openEar(): Promise<HookEar> {
  const heard: Heard[] = [];
  const server = createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('end', () => {
      heard.push({ body: Buffer.concat(parts).toString('utf8'), headers: request.headers });
      response.writeHead(204).end();
      server.emit('heard');
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    host: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    async next() {
      if (heard.length === 0) await once(server, 'heard', { signal: AbortSignal.timeout(30_000) });
      const [first] = heard.splice(0, 1);
      if (first === undefined) throw new Error('no webhook came');
      return first;
    },
    close: () => server.close(),
  };
}

const made = z.object({ endpointId: z.string(), secret: z.string() });
const line = z.object({
  call: z.string(),
  secret: z.string(),
  body: z.enum(['as it came', 'changed']),
  seen: z.object({ verified: z.boolean(), type: z.string().optional(), error: z.string().optional() }),
});

/** Which of the secrets must verify which call; a changed body must verify with none. */
const VERIFIES: Readonly<Record<string, readonly string[]>> = {
  first: ['old'],
  rotated: ['old', 'new'],
};

/**
 * Has the program sign webhooks, before and after its secret is replaced, and lets the Python standardwebhooks judge
 * them.
 * @returns how many cases differ.
 */
export async function verifyHooks(
  python: string,
  { url, admin, ear }: { url: string; admin: string; ear: HookEar },
): Promise<number> {
  const call = async (method: string, path: string, body: object) => {
    const headers = { authorization: `Bearer ${admin}`, 'content-type': 'application/json' };
    return (await fetch(url + path, { method, headers, body: JSON.stringify(body) })).json();
  };
  const endpoint = { url: `http://${ear.host}/hook`, events: ['usage.alert'], scope: 'operator' };
  const { endpointId, secret: old } = made.parse(await call('POST', '/api/webhook-endpoints', endpoint));
  const test = async () => {
    await call('POST', `/api/webhook-endpoints/${endpointId}/test`, {});
    return ear.next();
  };
  const first = await test();
  const rotated = made.parse(await call('PATCH', `/api/webhook-endpoints/${endpointId}`, { rotateSecret: true }));
  const secrets = { old, new: rotated.secret, foreign: `whsec_${Buffer.alloc(24, 1).toString('base64')}` };
  const calls = [
    { name: 'first', secrets, ...first },
    { name: 'rotated', secrets, ...(await test()) },
  ];
  const { stdout } = await promisify(execFile)(python, [join(import.meta.dirname, 'hooks.py'), JSON.stringify(calls)], {
    env: plainEnvironment(),
  });
  const lines = stdout
    .trim()
    .split('\n')
    .map((text) => line.parse(JSON.parse(text)));
  const wrong = lines.filter(({ call: name, secret, body, seen }) => {
    const isWanted = body === 'as it came' && VERIFIES[name]?.includes(secret) === true;
    const isRight = isWanted
      ? seen.verified && seen.type === 'endpoint.test'
      : seen.error === 'WebhookVerificationError';
    const told = `webhooks   ${name} call, ${secret} secret, body ${body}: ${JSON.stringify(seen)}`;
    process.stdout.write(`${isRight ? 'as it should be' : 'DIFFERS'}  ${told}\n`);
    return !isRight;
  });
  // Two calls, three secrets, each with a body that was changed.
  return wrong.length + (12 - lines.length);
}
