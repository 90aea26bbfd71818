import { sql } from 'kysely';
import type { Model } from '../../domain/model.ts';
import type { PromptMessage } from '../../domain/usage.ts';
import type { Sql } from '../database.ts';
import type { TurnRow } from './row.ts';

/**
 * The prompt as admission measured it: instructions, the answered and stopped turns from `historyFrom` on, and the
 * question. A failed turn enters no later prompt. An earlier question without an answer (stopped before its first
 * delta, cut while the model still thought) is left out or merged with the next, because strict providers refuse two
 * questions in a row, and would refuse them in every later turn.
 */
export async function readTranscript(
  on: Sql,
  turn: Pick<TurnRow, 'conversationId' | 'sequence' | 'question'>,
  options: { instructions: string; historyFrom: number | null; unanswered: Model['unanswered'] },
): Promise<PromptMessage[]> {
  const messages: PromptMessage[] =
    options.instructions === '' ? [] : [{ role: 'system', content: options.instructions }];
  /** Questions that wait for the next. */
  let waiting = '';
  if (options.historyFrom !== null) {
    const { rows } = await sql<{ question: string; answer: string | null }>`select question, answer from turns
      where conversation_id = ${turn.conversationId} and sequence >= ${options.historyFrom} and sequence < ${turn.sequence}
        and state in ('completed', 'stopped') order by sequence`.execute(on);
    for (const { question, answer } of rows) {
      if (answer !== null && answer !== '') {
        messages.push({ role: 'user', content: waiting + question }, { role: 'assistant', content: answer });
        waiting = '';
      } else if (options.unanswered === 'merge') waiting += `${question}\n\n`;
    }
  }
  messages.push({ role: 'user', content: waiting + turn.question });
  return messages;
}
