import { setTimeout as sleep } from 'node:timers/promises';
import { askOrShed } from './ask.ts';
import type { Contender } from './contenders.ts';
import { percentile, spreadOf, type Spread } from './figures.ts';
import { ANSWERS } from './question.ts';
import type { Stage } from './stage.ts';

/** What happens when far more turns are sent at once than can be answered at once. */
export interface BurstRow {
  readonly contender: string;
  readonly asked: number;
  readonly admitted: Spread;
  /** Milliseconds from the sending, of the turns that were admitted. */
  readonly firstDeltaP99: Spread;
  /** Milliseconds until the last of the others was refused; null when everybody was admitted. */
  readonly refusedWithinMs: Spread | null;
}

export interface BurstEffort {
  readonly asked: number;
  readonly rounds: number;
}

const BETWEEN_MS = 1_500;

/**
 * Everybody asks at the same moment. Each answer is read to its end and checked; whoever is refused does not ask again.
 */
export async function measureBurst(
  stage: Stage,
  contender: Contender,
  { burst }: { burst: BurstEffort },
): Promise<BurstRow> {
  const rounds: Round[] = [];
  while (rounds.length < burst.rounds) {
    rounds.push(await throwIn(stage, contender, burst.asked));
    await sleep(BETWEEN_MS);
  }
  const refused = rounds.flatMap(({ refusedWithinMs }) => refusedWithinMs ?? []);
  return {
    contender: contender.name,
    asked: burst.asked,
    admitted: spreadOf(rounds.map(({ admitted }) => admitted)),
    firstDeltaP99: spreadOf(rounds.map(({ firstDeltaP99 }) => firstDeltaP99)),
    refusedWithinMs: refused.length === 0 ? null : spreadOf(refused),
  };
}

interface Round {
  readonly admitted: number;
  readonly firstDeltaP99: number;
  readonly refusedWithinMs: number | null;
}

async function throwIn({ people }: Stage, contender: Contender, asked: number): Promise<Round> {
  const outcomes = await Promise.all(
    Array.from({ length: asked }, async (_, i) => {
      const person = people[i % people.length];
      if (person === undefined) throw new Error('nobody asks');
      return askOrShed(contender, person, ANSWERS.short);
    }),
  );
  const firstDeltas = outcomes.flatMap((outcome) => ('shed' in outcome ? [] : [outcome.firstDeltaAt - outcome.sentAt]));
  const refusals = outcomes.flatMap((outcome) => ('shed' in outcome ? [outcome.doneAt - outcome.sentAt] : []));
  return {
    admitted: firstDeltas.length,
    firstDeltaP99: percentile(firstDeltas, 0.99),
    refusedWithinMs: refusals.length === 0 ? null : percentile(refusals, 1),
  };
}
