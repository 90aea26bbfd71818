import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Scenario } from './scenario.ts';

export interface ModelRequestLog {
  readonly receivedAt: number;
  readonly authorization: string | undefined;
  readonly body: {
    readonly model: string;
    readonly messages: readonly { readonly role: string; readonly content: string }[];
    readonly max_completion_tokens?: number;
    readonly max_tokens?: number;
    readonly stream_options?: { readonly include_usage?: boolean };
  };
  /** The client went before the answer had ended. */
  aborted: boolean;
}

/** A provider on a socket of its own: OpenAI's streaming protocol, scripted. */
export interface FakeModel {
  /** Base URL, ends in /v1. */
  readonly url: string;
  readonly requests: ModelRequestLog[];
  /** For the next request only; several queue up. */
  next(scenario: Scenario): void;
  /** For requests that nothing is queued for. */
  always(scenario: Scenario): void;
  close(): Promise<void>;
}

const DEFAULT: Scenario = { chunks: ['안녕', '하세요', '. 무엇을 ', '도와드릴까요?'] };

export async function startFakeModel(port = 0): Promise<FakeModel> {
  const requests: ModelRequestLog[] = [];
  const queue: Scenario[] = [];
  let fallback = DEFAULT;
  const server = createServer((request, response) => {
    void serve(request, response).catch(() => response.destroy());
  });

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const log: ModelRequestLog = {
      receivedAt: performance.now(), authorization: request.headers.authorization, body: JSON.parse(await readAll(request)) as ModelRequestLog['body'], aborted: false,
    };
    requests.push(log);
    response.on('close', () => { log.aborted = !response.writableFinished; });
    await play({ ...fallback, ...queue.shift() }, response, log);
  }

  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  const address = server.address();
  const used = typeof address === 'object' && address !== null ? address.port : port;
  return {
    url: `http://127.0.0.1:${used}/v1`,
    requests,
    next: (scenario) => { queue.push(scenario); },
    always: (scenario) => { fallback = scenario; },
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function play(scenario: Scenario, response: ServerResponse, { body }: ModelRequestLog): Promise<void> {
  const { chunks = DEFAULT.chunks ?? [], gate, delayMs = 0 } = scenario;
  await gate?.pass('request');
  if (scenario.status !== undefined) {
    response.writeHead(scenario.status, { 'content-type': 'application/json', ...scenario.headers });
    response.end(JSON.stringify({ error: { message: 'the provider quotes the prompt here', type: null, param: null, code: null, ...scenario.error } }));
    return;
  }
  response.writeHead(200, { 'content-type': 'text/event-stream', 'x-request-id': `req_${Math.random().toString(36).slice(2)}` });
  response.flushHeaders();
  const limit = body.max_completion_tokens ?? body.max_tokens ?? Infinity;
  const send = (data: unknown) => response.write(`data: ${typeof data === 'string' ? data : JSON.stringify(data)}\n\n`);
  const chunk = (delta: object, finishReason: string | null = null) => ({
    id: 'chatcmpl-fake', object: 'chat.completion.chunk', created: 1_700_000_000, model: body.model, choices: [{ index: 0, delta, finish_reason: finishReason }], usage: null,
  });
  send(chunk({ role: 'assistant', content: '' }));
  let sent = 0;
  for (const [i, text] of chunks.entries()) {
    await gate?.pass(i + 1);
    if (scenario.dropAt === i + 1) return void response.destroy();
    if (scenario.errorAt === i + 1) {
      send({ error: { message: 'overloaded', type: 'server_error', code: null, ...scenario.error } });
      return void response.end();
    }
    // One token a chunk is what the limit counts here.
    if (sent >= limit) break;
    if (delayMs > 0) await sleep(delayMs);
    if (response.destroyed) return;
    send(chunk({ content: text }));
    sent += 1;
  }
  await gate?.pass('finish');
  if (scenario.dropAt === chunks.length + 1) return void response.destroy();
  if (scenario.omitFinish !== true) send(chunk({}, scenario.finishReason ?? (sent < chunks.length ? 'length' : 'stop')));
  await gate?.pass('usage');
  if (scenario.omitUsage !== true && body.stream_options?.include_usage === true) {
    const usage = scenario.usage ?? { prompt_tokens: 20, completion_tokens: Math.max(1, sent) };
    send({ ...chunk({}), choices: [], usage: { total_tokens: usage.prompt_tokens + usage.completion_tokens, ...usage } });
  }
  send('[DONE]');
  response.end();
}

async function readAll(request: IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part as Buffer);
  return Buffer.concat(parts).toString();
}
