import { Worker } from 'node:worker_threads';
import type { ReportDocument } from '../../domain/reports/document.ts';

/** Makes PDFs without holding up the event loop: one takes 60 to 200 ms. */
export interface PdfMaker {
  /** @throws PdfMakerBusy when too many wait. */
  make(document: ReportDocument): Promise<Buffer>;
  close(): Promise<void>;
}

export class PdfMakerBusy extends Error {
  override readonly name = 'PdfMakerBusy';
}

/** At 200 ms each, the last of them waits for ten seconds. */
const MOST_WAITING = 50;

interface Job {
  readonly document: ReportDocument;
  done(bytes: Buffer): void;
  failed(cause: Error): void;
}

/** One thread makes them one after the other. It starts with the first: most processes never make one. */
export function createPdfMaker(): PdfMaker {
  let thread: Worker | null = null;
  let running: Job | null = null;
  const waiting: Job[] = [];

  function start(): Worker {
    const started = new Worker(new URL('./pdf-thread.ts', import.meta.url));
    started.unref();
    started.on('message', (bytes: Uint8Array) => finish((job) => job.done(Buffer.from(bytes))));
    started.on('error', (cause) => lose(cause instanceof Error ? cause : new Error(String(cause))));
    started.on('exit', () => lose(new Error('the thread that makes PDFs has ended')));
    return started;

    function lose(cause: Error): void {
      if (thread !== started) return;
      thread = null;
      finish((job) => job.failed(cause));
    }
  }

  function finish(tell: (job: Job) => void): void {
    const job = running;
    running = null;
    if (job !== null) tell(job);
    next();
  }

  function next(): void {
    if (running !== null) return;
    running = waiting.shift() ?? null;
    if (running === null) return;
    thread ??= start();
    thread.postMessage(running.document);
  }

  return {
    make(document) {
      if (waiting.length >= MOST_WAITING) return Promise.reject(new PdfMakerBusy());
      return new Promise((done, failed) => {
        waiting.push({ document, done, failed });
        next();
      });
    },
    async close() {
      await thread?.terminate();
    },
  };
}
