import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { GREETING, play, textOf, type ChatBody } from './play.ts';
import { readMark, type Gate, type Scenario } from './scenario.ts';

export interface ModelRequestLog {
  /** Milliseconds of the machine's monotonic clock, which other processes read too. */
  readonly receivedAt: number;
  readonly authorization: string | undefined;
  readonly body: ChatBody;
  /** Whether the client left before the answer had ended. */
  aborted: boolean;
  /** Whether the answer is over for its connection: sent whole, dropped or aborted. */
  ended: boolean;
}

/** A scripted provider on a real socket that speaks OpenAI's streaming protocol. */
export interface FakeModel {
  /** Base URL, ends in /v1. */
  readonly url: string;
  readonly requests: ModelRequestLog[];
  /** Connections accepted so far. */
  connections(): number;
  /** Scripts the next request; several calls queue up. */
  next(scenario: Scenario): void;
  /**
   * Scripts the next request with this question. Such a request takes its own script first, and from the common queue
   * only when it has none.
   */
  nextFor(question: string, ...scenarios: readonly Scenario[]): void;
  /**
   * Scripts requests for which nothing is queued. A question that ends in a mark (`mark(scenario)`) has its own script.
   */
  always(scenario: Scenario): void;
  /** Opens every gate at which a request has arrived. */
  release(): void;
  close(): Promise<void>;
}

const DEFAULT: Scenario = { chunks: GREETING };

export async function startFakeModel(port = 0): Promise<FakeModel> {
  const requests: ModelRequestLog[] = [];
  const queue: Scenario[] = [];
  const queues = new Map<string, Scenario[]>();
  const gates = new Set<Gate>();
  let fallback = DEFAULT;
  let connections = 0;
  const server = createServer((request, response) => {
    void serve(request, response).catch(() => response.destroy());
  });
  server.on('connection', () => {
    connections += 1;
  });

  /** For a bench in another process: when each question came, since the last call. */
  let told = 0;
  function takeReceived() {
    const untold = requests.slice(told);
    told = requests.length;
    return untold.map(({ receivedAt, body }) => ({ question: textOf(body.messages.at(-1)?.content), receivedAt }));
  }

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (request.method === 'GET' && request.url === '/v1/models')
      return json(response, 200, {
        object: 'list',
        data: [{ id: 'gpt-4.1-mini', object: 'model', created: 0, owned_by: 'fake' }],
      });
    if (request.method === 'GET' && request.url === '/received') return json(response, 200, takeReceived());
    if (request.method !== 'POST' || request.url !== '/v1/chat/completions')
      return json(response, 404, { error: { message: 'no such path', type: 'invalid_request_error', code: null } });
    const receivedAt = machineMs();
    const body = JSON.parse(await readAll(request)) as ChatBody;
    const log: ModelRequestLog = {
      receivedAt,
      authorization: request.headers.authorization,
      body,
      aborted: false,
      ended: false,
    };
    requests.push(log);
    let dropped = false;
    response.on('close', () => {
      log.ended = true;
      log.aborted = !response.writableFinished && !dropped;
    });
    const question = textOf(body.messages.at(-1)?.content);
    const own = { ...readMark(question), ...(queues.get(question)?.shift() ?? queue.shift()) };
    const isOther = own.calls !== undefined || own.refusal !== undefined;
    const scenario = { ...fallback, ...(isOther ? { chunks: [] } : {}), ...own };
    for (const gate of [scenario.gate ?? []].flat()) gates.add(gate);
    await play(scenario, response, body, {
      requestId: `req_fake_${requests.length}`,
      onDrop: () => {
        dropped = true;
      },
    });
  }

  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  const address = server.address();
  const used = typeof address === 'object' && address !== null ? address.port : port;
  const release = () => {
    for (const gate of gates) gate.open();
    gates.clear();
  };
  return {
    url: `http://127.0.0.1:${used}/v1`,
    requests,
    connections: () => connections,
    next: (scenario) => {
      queue.push(scenario);
    },
    nextFor: (question, ...scenarios) => {
      queues.set(question, [...(queues.get(question) ?? []), ...scenarios]);
    },
    always: (scenario) => {
      fallback = scenario;
    },
    release,
    async close() {
      release();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function machineMs(): number {
  const [seconds, nanoseconds] = process.hrtime();
  return seconds * 1_000 + nanoseconds / 1e6;
}

function json(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify(body));
}

async function readAll(request: IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part as Buffer);
  return Buffer.concat(parts).toString();
}
