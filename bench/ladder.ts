import { setTimeout as sleep } from 'node:timers/promises';
import { askOrShed, now, type Answered } from './ask.ts';
import type { Contender, Person } from './contenders.ts';
import { percentile, sum } from './figures.ts';
import { readCpu, residentMegabytes } from './processes.ts';
import { ANSWERS, type Answer } from './question.ts';
import type { Stage } from './stage.ts';

/** How a new turn fares while a number of answers are being streamed. */
export interface LadderStep {
  readonly streams: number;
  /** Milliseconds to the first delta of turns asked one after the other meanwhile, of a model without delay. */
  readonly firstDelta: { readonly p50: number; readonly p99: number };
  /** How much of the text that was due in this time has come, as a share. */
  readonly delivered: number;
  /** Cores that the contender's own processes kept busy. */
  readonly cores: number;
  /** Resident memory of the largest app process. */
  readonly megabytes: number | null;
}

export interface LadderRow {
  readonly contender: string;
  readonly steps: readonly LadderStep[];
  /**
   * The most streams that are carried well, as all smaller numbers are: a first delta's p99 is at most twice what it is
   * without streams, and no text comes late.
   */
  readonly held: number;
}

export interface LadderEffort {
  readonly streams: readonly number[];
  /** How long first deltas are timed on each step. */
  readonly stepMs: number;
}

const CHUNKS_A_SECOND = 1_000 / ANSWERS.steady.delayMs;
/** Streams are started so slowly that the streams are measured and not their starts. */
const STARTS_A_SECOND = 16;
const SETTLE_MS = 1_000;
/** How much later than planned the last step may come. Streams that end before it show up as missing text. */
const SLACK_MS = 30_000;
const DELIVERED = 0.95;

/** Measures new turns beside more and more streams of 50 chunks a second. */
export async function measureLadder(
  stage: Stage,
  contender: Contender,
  { ladder: { streams, stepMs } }: { ladder: LadderEffort },
): Promise<LadderRow> {
  const most = Math.max(...streams);
  const load = new StreamLoad(
    stage,
    contender,
    now() + (most / STARTS_A_SECOND) * 1_000 + (streams.length + 1) * (SETTLE_MS + stepMs) + SLACK_MS,
  );
  const steps = [await timeStep(stage, contender, load, stepMs)];
  for (const count of streams) {
    await load.raiseTo(count);
    await sleep(SETTLE_MS);
    steps.push(await timeStep(stage, contender, load, stepMs));
  }
  // Throws when an answer is not what was expected.
  await load.ended();
  return { contender: contender.name, steps, held: heldOf(steps) };
}

export function heldOf([alone, ...steps]: readonly LadderStep[]): number {
  if (alone === undefined) return 0;
  const failed = steps.findIndex(
    ({ firstDelta, delivered }) => firstDelta.p99 > alone.firstDelta.p99 * 2 || delivered < DELIVERED,
  );
  return (failed === -1 ? steps.at(-1) : steps[failed - 1])?.streams ?? 0;
}

async function timeStep(stage: Stage, contender: Contender, load: StreamLoad, stepMs: number): Promise<LadderStep> {
  const cpuOf = (reading: ReadonlyMap<string, number>) =>
    sum(contender.processes.map((name) => reading.get(name) ?? 0));
  const before = { cpu: cpuOf(readCpu(stage.processes)), units: load.units };
  const from = now();
  const firstDeltas: number[] = [];
  while (now() - from < stepMs) {
    const sentAt = now();
    const { firstDeltaAt } = await askUntilAdmitted(contender, personOf(stage, firstDeltas.length), ANSWERS.atOnce);
    firstDeltas.push(firstDeltaAt - sentAt);
  }
  const ms = now() - from;
  const owed = (load.count * CHUNKS_A_SECOND * ANSWERS.steady.text.length * ms) / 1_000;
  const pids = stage.apps.flatMap((name) => stage.processes.get(name) ?? []);
  return {
    streams: load.count,
    firstDelta: { p50: percentile(firstDeltas, 0.5), p99: percentile(firstDeltas, 0.99) },
    delivered: owed === 0 ? 1 : (load.units - before.units) / owed,
    cores: (cpuOf(readCpu(stage.processes)) - before.cpu) / ms,
    megabytes: contender.name === 'turnkeeper' && pids.length > 0 ? Math.max(...pids.map(residentMegabytes)) : null,
  };
}

/** Streams that all end at the same time: those that began first go on until the last step is timed. */
class StreamLoad {
  readonly #stage: Stage;
  readonly #contender: Contender;
  readonly #endsAt: number;
  readonly #answers: Promise<Answered>[] = [];
  /** UTF-16 units of text received so far. */
  units = 0;

  constructor(stage: Stage, contender: Contender, endsAt: number) {
    this.#stage = stage;
    this.#contender = contender;
    this.#endsAt = endsAt;
  }

  get count(): number {
    return this.#answers.length;
  }

  /** Resolves when each stream has sent its first text. */
  async raiseTo(count: number): Promise<void> {
    const spoken: Promise<void>[] = [];
    while (this.count < count) {
      spoken.push(this.#begin());
      await sleep(1_000 / STARTS_A_SECOND);
    }
    await Promise.all(spoken);
  }

  async ended(): Promise<void> {
    await Promise.all(this.#answers);
  }

  #begin(): Promise<void> {
    const chunks = Math.max(CHUNKS_A_SECOND, Math.round(((this.#endsAt - now()) / 1_000) * CHUNKS_A_SECOND));
    return new Promise((resolve, reject) => {
      const answer = askUntilAdmitted(
        this.#contender,
        personOf(this.#stage, this.count),
        { ...ANSWERS.steady, chunks },
        (units) => {
          this.units += units;
          resolve();
        },
      );
      this.#answers.push(answer);
      answer.catch(reject);
    });
  }
}

/** Asks again after each refusal, as a client does; the waiting counts. */
async function askUntilAdmitted(
  contender: Contender,
  person: Person,
  answer: Answer,
  onText?: (units: number) => void,
): Promise<Answered> {
  for (;;) {
    const outcome = await askOrShed(contender, person, answer, onText);
    if (!('shed' in outcome)) return outcome;
    await sleep(250);
  }
}

function personOf({ people }: Stage, n: number): Person {
  const person = people[n % people.length];
  if (person === undefined) throw new Error('nobody asks');
  return person;
}
