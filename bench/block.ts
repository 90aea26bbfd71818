import { ask, type Answered } from './ask.ts';
import type { Contender } from './contenders.ts';
import { readCpu } from './processes.ts';
import type { Answer } from './question.ts';
import type { Stage } from './stage.ts';

/**
 * Turns of one contender. Times are milliseconds from the sending of each question; `receivedMs` is null when nobody
 * tells when the model received it.
 */
export interface Block {
  readonly turns: number;
  readonly seconds: number;
  readonly receivedMs: readonly number[] | null;
  readonly firstDeltaMs: readonly number[];
  readonly doneMs: readonly number[];
  /** CPU milliseconds per turn, by process. */
  readonly cpuMs: ReadonlyMap<string, number>;
}

export interface Load {
  readonly answer: Answer;
  readonly atOnce: number;
  readonly turns: number;
}

/** A closed loop: `atOnce` people ask, each again as soon as the last answer is complete. */
export async function runBlock(stage: Stage, contender: Contender, { answer, atOnce, turns }: Load): Promise<Block> {
  await stage.received();
  const before = readCpu(stage.processes);
  const answers: Answered[] = [];
  let begun = 0;
  const asker = async () => {
    while (begun < turns) {
      const person = stage.people[begun % stage.people.length];
      begun += 1;
      if (person !== undefined) answers.push(await ask(contender, person, answer));
    }
  };
  await Promise.all(Array.from({ length: atOnce }, asker));
  const after = readCpu(stage.processes);
  const received = await stage.received();
  const from = Math.min(...answers.map(({ sentAt }) => sentAt));
  const to = Math.max(...answers.map(({ doneAt }) => doneAt));
  return {
    turns,
    seconds: (to - from) / 1_000,
    receivedMs: answers.map(({ question, sentAt }) => receiptOf(received, question) - sentAt),
    firstDeltaMs: answers.map(({ sentAt, firstDeltaAt }) => firstDeltaAt - sentAt),
    doneMs: answers.map(({ sentAt, doneAt }) => doneAt - sentAt),
    cpuMs: new Map([...after].map(([name, ms]) => [name, (ms - (before.get(name) ?? 0)) / turns])),
  };
}

/** @throws when the model never received the question: the answer was then made up. */
function receiptOf(received: ReadonlyMap<string, number>, question: string): number {
  const at = received.get(question);
  if (at === undefined) throw new Error(`the model has not received "${question}"`);
  return at;
}

/** Measures the contenders alternately, so that other work of the machine slows all of them alike. */
export async function interleave<Name extends string>(
  stage: Stage,
  contenders: Readonly<Record<Name, Contender>>,
  rounds: number,
  load: Load,
): Promise<Record<Name, Block[]>> {
  const names = Object.keys(contenders) as Name[];
  const blocks = Object.fromEntries(names.map((name) => [name, [] as Block[]])) as Record<Name, Block[]>;
  for (let round = 0; round < rounds; round += 1) {
    for (const name of names) blocks[name].push(await runBlock(stage, contenders[name], load));
  }
  return blocks;
}
