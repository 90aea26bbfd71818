import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A refusal in the provider's own words. */
export class Refused extends Error {
  readonly status: number;
  readonly body: object;

  constructor(status: number, body: object) {
    super(`refused with ${status}`);
    this.status = status;
    this.body = body;
  }
}

/** What goes wrong with the next calls of a name, once each unless told how often. */
export interface Fault {
  /** Holds the answer for as long, after the effect. */
  readonly delayMs?: number;
  /** The connection is cut: before anything is done, or after it. */
  readonly cut?: 'before' | 'after';
  /** Nothing is done, and this is answered. */
  readonly refuse?: { readonly status: number; readonly body: object };
  readonly times?: number;
}

/** One request as it came. */
export interface Call {
  readonly name: string;
  readonly path: string;
  readonly key: string | null;
  readonly body: unknown;
}

interface Work {
  readonly scope: string | null;
  readonly busy: () => Refused;
  readonly differs?: () => Refused;
  readonly forgets?: (refused: Refused) => boolean;
  readonly act: () => object;
}

/** What both fakes are made of: faults, the log of calls, and answers that are remembered by their idempotency key. */
export class Desk {
  readonly calls: Call[] = [];
  readonly #faults = new Map<string, Fault[]>();
  readonly #answers = new Map<string, { readonly asked: string; readonly answer: Promise<object> }>();

  fail(name: string, fault: Fault): void {
    const faults = this.#faults.get(name) ?? [];
    for (let n = 0; n < (fault.times ?? 1); n += 1) faults.push(fault);
    this.#faults.set(name, faults);
  }

  /** Nothing goes wrong from now on. */
  heal(): void {
    this.#faults.clear();
  }

  /**
   * Runs one call with whatever goes wrong with it.
   * @param work.scope under which its answer is remembered; null: each is new.
   * @param work.busy what is answered while the first of the same key is still running.
   * @param work.differs what is answered when the same key asks for something else; null: what the first was answered.
   * @param work.forgets whether a refusal is not remembered by its key.
   */
  async run(call: Call, response: ServerResponse, work: Work): Promise<void> {
    this.calls.push(call);
    const fault = this.#faults.get(call.name)?.shift() ?? {};
    if (fault.cut === 'before') {
      response.destroy();
      return;
    }
    if (fault.refuse !== undefined) return json(response, fault.refuse.status, fault.refuse.body);
    const { status, body } = await this.#once(work, JSON.stringify([call.path, call.body]), fault.delayMs ?? 0).then(
      (done) => ({ status: 200, body: done }),
      (error: unknown) => {
        if (!(error instanceof Refused)) throw error;
        return error;
      },
    );
    if (fault.cut === 'after') response.destroy();
    else json(response, status, body);
  }

  /** The effect comes at once, its answer later; the same key meanwhile is refused, and afterwards answered alike. */
  #once({ scope, busy, differs, forgets, act }: Work, asked: string, delayMs: number): Promise<object> {
    const begin = async () => {
      let outcome: { readonly done: object } | { readonly error: unknown };
      try {
        outcome = { done: act() };
      } catch (error) {
        outcome = { error };
      }
      if (delayMs > 0) await new Promise((resolve) => setTimeout(resolve, delayMs));
      if ('error' in outcome) throw outcome.error;
      return outcome.done;
    };
    if (scope === null) return begin();
    const known = this.#answers.get(scope);
    if (known !== undefined) {
      if (differs !== undefined && known.asked !== asked) return Promise.reject(differs());
      if (this.#running.has(scope)) return Promise.reject(busy());
      return known.answer;
    }
    this.#running.add(scope);
    const answer = begin().finally(() => this.#running.delete(scope));
    // Whoever asked may have gone.
    answer.catch((error: unknown) => {
      if (error instanceof Refused && forgets?.(error) === true) this.#answers.delete(scope);
    });
    this.#answers.set(scope, { asked, answer });
    return answer;
  }

  readonly #running = new Set<string>();
}

/** What becomes of the webhooks that follow. */
export interface Delivery {
  /** Where they go; null: nowhere. */
  readonly url: string | null;
  readonly drop?: boolean;
  readonly duplicate?: number;
  readonly delayMs?: number;
  /** Each waits a random part of `delayMs`, so that they come in any order. */
  readonly reorder?: boolean;
}

/** Sends a webhook as its provider would. @returns whether somebody heard it. */
export async function deliver(
  { url, drop = false, duplicate = 1, delayMs = 0, reorder = false }: Delivery,
  { body, headers }: { readonly body: string; readonly headers: Record<string, string> },
): Promise<boolean> {
  if (url === null || drop) return false;
  const one = async () => {
    const waitMs = reorder ? Math.random() * delayMs : delayMs;
    if (waitMs > 0) await new Promise((resolve) => setTimeout(resolve, waitMs));
    const sent = { method: 'POST', body, headers: { 'content-type': 'application/json', ...headers } };
    return (await fetch(url, sent).catch(() => null))?.ok === true;
  };
  return (await Promise.all(Array.from({ length: duplicate }, one))).includes(true);
}

export async function listen(
  handle: (request: IncomingMessage, response: ServerResponse, body: string) => Promise<void>,
  port: number,
): Promise<{ readonly url: string; readonly server: Server; close(): Promise<void> }> {
  const server = createServer((request, response) => {
    void readText(request)
      .then((body) => handle(request, response, body))
      .catch((error: unknown) => {
        if (error instanceof Refused) json(response, error.status, error.body);
        else json(response, 500, { code: 'FAKE_BROKEN', message: String(error) });
      });
  }).listen(port, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    server,
    async close() {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

export function json(response: ServerResponse, status: number, body: object): void {
  if (response.destroyed || response.headersSent) return;
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}

async function readText(request: IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  for await (const part of request as AsyncIterable<Buffer>) parts.push(part);
  return Buffer.concat(parts).toString('utf8');
}
