import { sql } from 'kysely';
import type { HistoryTurn } from '../../domain/admission.ts';
import type { Encoding, Model } from '../../domain/model.ts';
import { TOKENS_PER_MESSAGE } from '../../domain/prompt-tokens.ts';
import type { PromptMessage } from '../../domain/usage.ts';
import { columnsOf, type RowOf } from '../columns.ts';
import type { Sql, Tx } from '../database.ts';
import { Turn } from '../entities/turn.ts';
import { ancestorsOf } from './branches.ts';
import type { TurnRow } from './row.ts';

/**
 * The prompt as admission measured it: instructions, its answered and stopped ancestors from `historyFrom` on, and
 * the question. A failed turn enters no later prompt. An earlier question without an answer (stopped before its first
 * delta, cut while the model still thought) is left out or merged with the next, because strict providers refuse two
 * questions in a row, and would refuse them in every later turn.
 */
export async function readTranscript(
  on: Sql,
  turn: Pick<TurnRow, 'conversationId' | 'sequence' | 'parentSequence' | 'question'>,
  options: { instructions: string; historyFrom: number | null; unanswered: Model['unanswered'] },
): Promise<PromptMessage[]> {
  const messages: PromptMessage[] =
    options.instructions === '' ? [] : [{ role: 'system', content: options.instructions }];
  /** Questions that wait for the next. */
  let waiting = '';
  if (options.historyFrom !== null) {
    const { rows } = await sql<{ question: string; answer: string | null }>`
      ${ancestorsOf(turn, { to: options.historyFrom })}
      select t.question, t.answer from line l join turns t on t.id = l.id
      where t.state in ('completed', 'stopped') order by l.sequence`.execute(on);
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

/** No text has so many times the tokens of one encoding in another. */
const ENCODINGS_DIFFER_BY = 4;

const historyColumns = columnsOf(Turn, 't', ['sequence', 'questionTokens', 'answerTokens']);

/** @param by the account whose text it is. */
export type CountTokens = (text: string, encoding: Encoding, by: number) => number | Promise<number>;

/**
 * Answered and stopped ancestors, nearest first, as many as could ever fit `historyTokens`: historyTokens / 4 and one,
 * however short they are. Those of another encoding are counted anew, unless by their own they are far beyond it.
 * Questions without an answer are among them only where the model takes them (`readTranscript`).
 */
export async function readHistory(
  tx: Tx,
  row: TurnRow,
  model: Model,
  countTokens: CountTokens,
): Promise<HistoryTurn[]> {
  const beyond = ENCODINGS_DIFFER_BY * model.historyTokens;
  const enters = sql`t.state in ('completed', 'stopped') and (${model.unanswered === 'merge'} or t.answer <> '')`;
  // What a message counts beside its text counts here, too: else the walk through short turns would hardly end.
  const tokens = sql`t.question_tokens + coalesce(t.answer_tokens, 0) + ${ENCODINGS_DIFFER_BY * TOKENS_PER_MESSAGE}::integer`;
  const { rows } = await sql<RowOf<typeof historyColumns> & { texts: string[] | null }>`
    ${ancestorsOf(row, { cost: sql`case when ${enters} then ${tokens} else 0 end`, most: beyond })}
    select ${historyColumns},
      case when encoding <> ${model.encoding} and l.used <= ${beyond} then array[question, coalesce(answer, '')] end as texts
    from line l join turns t on t.id = l.id where ${enters}
    order by l.sequence desc`.execute(tx);
  const history: HistoryTurn[] = [];
  for (const { sequence, questionTokens, answerTokens, texts } of rows) {
    const counts =
      texts === null
        ? [questionTokens, answerTokens ?? 0]
        : await Promise.all(texts.map(async (text) => countTokens(text, model.encoding, row.accountId)));
    // A question without an answer is merged with the next: what separates them is within the tokens of a message.
    const sum = counts
      .filter((count, i) => i === 0 || count > 0)
      .reduce((total, count) => total + count + TOKENS_PER_MESSAGE, 0);
    history.push({ sequence, tokens: sum });
  }
  return history;
}
