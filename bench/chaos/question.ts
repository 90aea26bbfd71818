import { mark } from '../../test/fake-model/scenario.ts';
import type { Random } from './random.ts';

let asked = 0;

/**
 * A question that says how the model answers it, well or badly. Its answer is a word of its own, again and again, so
 * that an answer which belongs to another turn is found.
 */
export function questionOf(random: Random): string {
  asked += 1;
  const answer = { chunks: { count: random.whole(2, 30), text: ` t${asked}` }, delayMs: random.whole(5, 80) };
  const prompt_tokens = random.whole(20, 60);
  const completion_tokens = random.whole(5, 90);
  const how = random.weighted({
    well: 70,
    counted: 8,
    beyond: 4,
    unavailable: 5,
    rejected: 3,
    dropped: 6,
    unfinished: 4,
  });
  const scenario = {
    well: { usage: { prompt_tokens, completion_tokens } },
    counted: { omitUsage: true },
    // It charges more than it was allowed to use.
    beyond: { honourLimit: false, usage: { prompt_tokens, completion_tokens: 1_500 } },
    unavailable: { status: 503, headers: { 'retry-after-ms': '50' } },
    rejected: { status: 400 },
    dropped: { dropAt: random.whole(1, 4) },
    unfinished: { omitFinish: true },
  }[how];
  return `question ${asked} ${mark({ ...answer, ...scenario })}`;
}

/** The word that an answer to this question consists of. */
export function wordOf(question: string): string {
  return ` t${/^question (\d+) /.exec(question)?.[1] ?? '?'}`;
}
