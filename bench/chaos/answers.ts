import type { ClientBase } from 'pg';
import { readMark } from '../../test/fake-model/scenario.ts';
import { wordOf } from './question.ts';

interface Answered {
  readonly id: string;
  readonly question: string;
  readonly answer: string;
  readonly state: string;
  readonly finishReason: string | null;
  readonly prompt: number;
  readonly completion: number;
  readonly estimated: boolean;
}

/** Answers and figures that are not what the model said to that very question. */
export async function findWrongAnswers(client: ClientBase): Promise<string[]> {
  const { rows } = await client.query<Answered>(
    `select id, question, answer, state, finish_reason as "finishReason", prompt_tokens as prompt, completion_tokens as completion, estimated
     from turns where state in ('completed', 'stopped') and answer is not null`,
  );
  return rows.flatMap((turn) => {
    const said = readMark(turn.question);
    const [word, chunks] = [wordOf(turn.question), said?.chunks];
    const most = chunks !== undefined && 'count' in chunks ? chunks.count : 0;
    const whole = word.repeat(most);
    const found: string[] = [];
    // A model that says no reason does not say either that its limit cut the answer.
    const isWhole = turn.finishReason === 'stop' && said?.omitFinish !== true;
    if (!whole.startsWith(turn.answer) || (isWhole && turn.answer !== whole))
      found.push(
        `an answer is its model's: turn ${turn.id} has ${turn.answer.length} of ${whole.length} characters, ${turn.finishReason}`,
      );
    const usage = said?.usage;
    if (
      usage !== undefined &&
      !turn.estimated &&
      (usage['prompt_tokens'] !== turn.prompt || usage['completion_tokens'] !== turn.completion)
    )
      found.push(
        `a turn's usage is its provider's: turn ${turn.id} has ${turn.prompt} + ${turn.completion}, which nobody said`,
      );
    return found;
  });
}
