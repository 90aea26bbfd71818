import { Worker } from 'node:worker_threads';
import type { Encoding } from '../../domain/model.ts';
import { countTokens } from './tokenizer.ts';

/** Counts texts of any length without holding up the event loop. */
export interface TokenCounter {
  /**
   * @param by the account whose text it is: its long texts wait behind each other, and those of others go in between.
   */
  count(text: string, encoding: Encoding, by: number): number | Promise<number>;
  /** How many texts wait for their turn. */
  waiting(): number;
  close(): Promise<void>;
}

/**
 * The longest text, in UTF-16 units, that is counted at once: the worst takes 6 ms (random syllables), an ordinary one
 * less than handing it to a thread.
 */
export const SHORT_TEXT = 2_000;

interface Job {
  readonly text: string;
  readonly encoding: Encoding;
  done(count: number): void;
  failed(cause: Error): void;
}

/** Long texts are counted by one thread, which starts with the first of them: most processes never see one. */
export function createTokenCounter(): TokenCounter {
  let thread: Worker | null = null;
  let running: Job | null = null;
  let waiting = 0;
  /** By whom, in the order in which they get their turn. */
  const queues = new Map<number, Job[]>();

  function start(): Worker {
    const started = new Worker(new URL('./count-thread.ts', import.meta.url));
    started.unref();
    started.on('message', (count: number) => finish((job) => job.done(count)));
    // Whatever ended it ends the text that it was counting, and the next text starts another.
    started.on('error', (cause) => lose(cause instanceof Error ? cause : new Error(String(cause))));
    started.on('exit', () => lose(new Error('the thread that counts tokens has ended')));
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
    const [first] = queues;
    if (running !== null || first === undefined) return;
    const [by, jobs] = first;
    running = jobs.shift() ?? null;
    waiting -= 1;
    queues.delete(by);
    if (jobs.length > 0) queues.set(by, jobs);
    thread ??= start();
    thread.postMessage({ text: running?.text, encoding: running?.encoding });
  }

  return {
    count(text, encoding, by) {
      if (text.length <= SHORT_TEXT) return countTokens(text, encoding);
      return new Promise((done, failed) => {
        const jobs = queues.get(by) ?? [];
        queues.set(by, jobs);
        jobs.push({ text, encoding, done, failed });
        waiting += 1;
        next();
      });
    },
    waiting: () => waiting,
    async close() {
      await thread?.terminate();
    },
  };
}
