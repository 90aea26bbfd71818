import { loadavg } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { ask } from './ask.ts';
import { percentile } from './figures.ts';
import { ANSWERS } from './question.ts';
import type { Stage } from './stage.ts';

/** One person chats once in that time. */
const CHAT_EVERY_MS = 500;

/** What people who chat see while something else goes on. */
export interface Chats {
  readonly answers: number;
  readonly failed: number;
  /** Milliseconds from the question to the first text. */
  readonly median: number;
  readonly p95: number;
  /** The machine's load of the last minute, at the end: other work slows everybody. */
  readonly load: number;
}

/** People chat, twice a second, until `isOver`. */
export async function chat({ contenders, people }: Stage, isOver: () => boolean): Promise<Chats> {
  const { turnkeeper } = contenders;
  if (turnkeeper === undefined) throw new Error('nobody answers');
  const waits: number[] = [];
  let [nth, failed] = [0, 0];
  await everySoOften(CHAT_EVERY_MS, isOver, async () => {
    const person = people[(nth += 1) % people.length];
    if (person === undefined) return;
    await ask(turnkeeper, person, ANSWERS.short).then(
      ({ sentAt, firstDeltaAt }) => waits.push(firstDeltaAt - sentAt),
      () => (failed += 1),
    );
  });
  return {
    answers: waits.length,
    failed,
    median: percentile(waits, 0.5),
    p95: percentile(waits, 0.95),
    load: loadavg()[0] ?? 0,
  };
}

/** Begins `work` again and again until `isOver`, however long each takes, and waits for the last. */
export async function everySoOften(everyMs: number, isOver: () => boolean, work: () => Promise<void>): Promise<void> {
  const began = Date.now();
  const running = new Set<Promise<void>>();
  for (let n = 0; !isOver(); n += 1) {
    await sleep(Math.max(0, began + n * everyMs - Date.now()));
    const one: Promise<void> = work().finally(() => running.delete(one));
    running.add(one);
  }
  await Promise.all(running);
}

/** @returns whether so many milliseconds are over, from now on. */
export function over(ms: number): () => boolean {
  const end = Date.now() + ms;
  return () => Date.now() >= end;
}

export function textOfChats(name: string, { answers, failed, median, p95, load }: Chats): string {
  return `  ${name.padEnd(18)} ${String(answers).padStart(6)} answers, ${failed} failed; first text: median ${median.toFixed(0)} ms, p95 ${p95.toFixed(0)} ms; load ${load.toFixed(1)}`;
}
