import { sql } from 'kysely';
import type { PromptMessage } from '../../domain/usage.ts';
import type { Sql } from '../database.ts';
import type { TurnRow } from './row.ts';

/**
 * The prompt as admission measured it: instructions, the answered and stopped turns from `historyFrom` on, and the
 * question. A failed turn enters no later prompt. A turn stopped before its first delta has only its question.
 */
export async function readTranscript(
  on: Sql,
  turn: Pick<TurnRow, 'conversationId' | 'sequence' | 'question'>,
  options: { instructions: string; historyFrom: number | null },
): Promise<PromptMessage[]> {
  const messages: PromptMessage[] =
    options.instructions === '' ? [] : [{ role: 'system', content: options.instructions }];
  if (options.historyFrom !== null) {
    const { rows } = await sql<{ question: string; answer: string | null }>`select question, answer from turns
      where conversation_id = ${turn.conversationId} and sequence >= ${options.historyFrom} and sequence < ${turn.sequence}
        and state in ('completed', 'stopped') order by sequence`.execute(on);
    for (const { question, answer } of rows) {
      messages.push({ role: 'user', content: question });
      if (answer !== null && answer !== '') messages.push({ role: 'assistant', content: answer });
    }
  }
  messages.push({ role: 'user', content: turn.question });
  return messages;
}
