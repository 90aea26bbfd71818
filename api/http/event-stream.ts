import { once } from 'node:events';
import type { Response } from 'express';

/** Proxies close silent connections: most after 60 s, some after 20 s. */
const SILENT_FOR_MS = 15_000;

interface Silence {
  /** What says in the stream's protocol that nothing new is to be said. Absent: a comment. */
  readonly speak?: (stream: EventStream) => Promise<void>;
  readonly afterMs?: number;
}

/**
 * Server-sent events over one response: unbuffered, uncompressed, kept alive while there is nothing to say, and no
 * faster than the reader reads.
 */
export class EventStream {
  readonly #response: Response;
  readonly #keepAlive: NodeJS.Timeout;

  constructor(response: Response, { speak = comment, afterMs = SILENT_FOR_MS }: Silence = {}) {
    this.#response = response;
    response.status(200).set({
      'Content-Type': 'text/event-stream; charset=utf-8',
      // no-transform, because a proxy that compresses would hold events back.
      'Cache-Control': 'no-store, no-transform',
      'X-Accel-Buffering': 'no',
    });
    response.flushHeaders();
    // A HEAD has no body. The answer is over, so whoever writes to it is told that its reader has gone.
    if (response.req.method === 'HEAD') response.end();
    this.#keepAlive = setInterval(() => {
      // Whoever opened the stream may have ended before it stood, and then nobody calls `end`.
      if (response.destroyed) clearInterval(this.#keepAlive);
      else if (!response.writableNeedDrain && !response.writableEnded) void speak(this);
    }, afterMs);
  }

  /** Resolves when the reader can take more. */
  async send({ id, event, data }: { id: string; event: string; data: unknown }): Promise<void> {
    if (this.#response.destroyed || this.#response.writableEnded) return;
    await this.#write(`id: ${id}\nevent: ${event}\ndata: ${oneLine(JSON.stringify(data))}\n\n`);
  }

  /** Sends data without an id, and mostly without a name, as other protocols do. @param text JSON, or a word. */
  async sendData(text: string, event?: string): Promise<void> {
    if (this.#response.destroyed || this.#response.writableEnded) return;
    await this.#write(`${event === undefined ? '' : `event: ${event}\n`}data: ${oneLine(text)}\n\n`);
  }

  async sendComment(text: string): Promise<void> {
    await this.#write(`: ${text}\n\n`);
  }

  async #write(bytes: string): Promise<void> {
    this.#keepAlive.refresh();
    if (!this.#response.write(bytes)) await drained(this.#response);
  }

  end(): void {
    clearInterval(this.#keepAlive);
    this.#response.end();
  }
}

function comment(stream: EventStream): Promise<void> {
  return stream.sendComment('keep-alive');
}

/**
 * JSON that is one line for every reader. Some libraries end lines at these characters, too, which JSON may hold as
 * they are.
 */
function oneLine(json: string): string {
  return json.replaceAll(/[\u0085\u2028\u2029]/g, (end) => `\\u${end.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

/** Resolves when the response takes more, or its reader has gone. */
export async function drained(response: Response): Promise<void> {
  const settled = new AbortController();
  const { signal } = settled;
  try {
    await Promise.race([once(response, 'drain', { signal }), once(response, 'close', { signal })]);
  } finally {
    settled.abort();
  }
}
