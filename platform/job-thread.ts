import { Worker } from 'node:worker_threads';

/** Work that would hold up the event loop, done by one thread, a job after the other. */
export interface JobThread<Job, Answer> {
  /**
   * @param by whose job it is: theirs wait behind each other, and those of others go in between.
   * @throws what ended the thread while it did the job. The next job starts another.
   */
  run(job: Job, by: number): Promise<Answer>;
  /** How many jobs wait for their turn. */
  waiting(): number;
  /** Ends the thread, and fails the jobs that it has and those that wait. */
  close(): Promise<void>;
}

interface Waiting<Job, Answer> {
  readonly job: Job;
  done(answer: Answer): void;
  failed(cause: Error): void;
}

/**
 * The thread starts with the first job: most processes never have one.
 * @param file of the thread: each message to it is a job, each of its own the answer.
 */
export function createJobThread<Job, Answer>(file: URL): JobThread<Job, Answer> {
  let thread: Worker | null = null;
  let running: Waiting<Job, Answer> | null = null;
  let waiting = 0;
  /** By whom, in the order in which they get their turn. */
  const queues = new Map<number, Waiting<Job, Answer>[]>();

  const ended = () => new Error(`the thread of ${file.pathname.split('/').at(-1)} has ended`);

  function start(): Worker {
    const started = new Worker(file);
    started.unref();
    started.on('message', (answer: Answer) => finish((one) => one.done(answer)));
    started.on('error', (cause) => lose(cause instanceof Error ? cause : new Error(String(cause))));
    started.on('exit', () => lose(ended()));
    return started;

    function lose(cause: Error): void {
      if (thread !== started) return;
      thread = null;
      finish((one) => one.failed(cause));
    }
  }

  function finish(tell: (one: Waiting<Job, Answer>) => void): void {
    const one = running;
    running = null;
    if (one !== null) tell(one);
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
    thread.postMessage(running?.job);
  }

  return {
    run: (job, by) =>
      new Promise((done, failed) => {
        const jobs = queues.get(by) ?? [];
        queues.set(by, jobs);
        jobs.push({ job, done, failed });
        waiting += 1;
        next();
      }),
    waiting: () => waiting,
    async close() {
      const left = [...queues.values()].flat();
      queues.clear();
      waiting = 0;
      await thread?.terminate();
      for (const one of left) one.failed(ended());
    },
  };
}
