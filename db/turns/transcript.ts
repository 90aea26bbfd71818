import { sql } from 'kysely';
import type { HistoryTurn, HoldSize } from '../../domain/admission.ts';
import { isSeenBy } from '../../domain/files/file.ts';
import type { Encoding, Model } from '../../domain/model.ts';
import { TOKENS_PER_MESSAGE } from '../../domain/prompt-tokens.ts';
import { columnsOf, type RowOf } from '../columns.ts';
import type { Sql } from '../database.ts';
import { Turn } from '../entities/turn.ts';
import { Asked, type StoredContent } from '../files/prompt-files.ts';
import { filesOfTurns, weighFiles } from '../files/turn-files.ts';
import { ancestorsOf } from './branches.ts';
import type { TurnRow } from './row.ts';

/** A message of the prompt, whose images are still to be read. */
export interface StoredMessage {
  readonly role: 'system' | 'user' | 'assistant';
  readonly content: StoredContent;
}

/**
 * The prompt as admission measured it: instructions, its answered and stopped ancestors from `historyFrom` on, those
 * from `filesFrom` on with their files, and the question with its own. A failed turn enters no later prompt. An earlier
 * question without an answer (stopped before its first delta, cut while the model still thought) is left out or merged
 * with the next, because strict providers refuse two questions in a row, and would refuse them in every later turn.
 */
export async function readTranscript(
  on: Sql,
  turn: Pick<TurnRow, 'id' | 'conversationId' | 'sequence' | 'parentSequence' | 'question' | 'fileCount'>,
  {
    instructions,
    historyFrom,
    unanswered,
    filesFrom = null,
    vision = null,
  }: Pick<Model, 'instructions' | 'unanswered'> &
    Pick<HoldSize, 'historyFrom'> &
    Partial<Pick<Model, 'vision'> & Pick<HoldSize, 'filesFrom'>>,
): Promise<StoredMessage[]> {
  const messages: StoredMessage[] = instructions === '' ? [] : [{ role: 'system', content: instructions }];
  const earlier = historyFrom === null ? [] : await readLine(on, turn, historyFrom);
  const showing = earlier.filter(
    ({ sequence, fileCount }) => fileCount > 0 && filesFrom !== null && sequence >= filesFrom,
  );
  const files = await filesOfTurns(on, [...(turn.fileCount > 0 ? [turn.id] : []), ...showing.map(({ id }) => id)]);
  const seen = (id: string) => (files.get(id) ?? []).filter((file) => isSeenBy({ vision }, file));
  /** Questions that wait for the next. */
  let asked = new Asked();
  for (const { id, question, answer } of earlier) {
    const isAnswered = answer !== null && answer !== '';
    if (!isAnswered && unanswered === 'drop') continue;
    await asked.add(on, question, seen(id));
    if (!isAnswered) continue;
    messages.push({ role: 'user', content: asked.content() }, { role: 'assistant', content: answer });
    asked = new Asked();
  }
  await asked.add(on, turn.question, seen(turn.id));
  messages.push({ role: 'user', content: asked.content() });
  return messages;
}

interface Line {
  readonly id: string;
  readonly sequence: number;
  readonly question: string;
  readonly answer: string | null;
  readonly fileCount: number;
}

/** The answered and stopped ancestors of a turn, the first one first. */
async function readLine(
  on: Sql,
  turn: Pick<TurnRow, 'conversationId' | 'sequence' | 'parentSequence'>,
  to: number,
): Promise<Line[]> {
  const { rows } = await sql<Line>`
    ${ancestorsOf(turn, { to })}
    select t.id, t.sequence, t.question, t.answer, t.file_count as "fileCount" from line l join turns t on t.id = l.id
    where t.state in ('completed', 'stopped') order by l.sequence`.execute(on);
  return rows;
}

/** No text has so many times the tokens of one encoding in another. */
const ENCODINGS_DIFFER_BY = 4;

const historyColumns = columnsOf(Turn, 't', ['id', 'sequence', 'questionTokens', 'answerTokens', 'fileCount']);

/** @param by the account whose text it is. */
export type CountTokens = (text: string, encoding: Encoding, by: number) => number | Promise<number>;

/**
 * Answered and stopped ancestors, nearest first, as many as could ever fit `historyTokens`: historyTokens / 4 and one,
 * however short they are. Those of another encoding are counted anew, unless by their own they are far beyond it.
 * Questions without an answer are among them only where the model takes them (`readTranscript`).
 * Their files are weighed beside their text.
 */
export async function readHistory(
  on: Sql,
  row: Pick<TurnRow, 'conversationId' | 'sequence' | 'parentSequence' | 'accountId'>,
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
    order by l.sequence desc`.execute(on);
  const count = (text: string) => countTokens(text, model.encoding, row.accountId);
  const files = await filesOfTurns(
    on,
    rows.filter(({ fileCount }) => fileCount > 0).map(({ id }) => id),
  );
  const history: HistoryTurn[] = [];
  for (const { id, sequence, questionTokens, answerTokens, texts } of rows) {
    const counts =
      texts === null ? [questionTokens, answerTokens ?? 0] : await Promise.all(texts.map(async (text) => count(text)));
    // A question without an answer is merged with the next: what separates them is within the tokens of a message.
    const sum = counts
      .filter((count, i) => i === 0 || count > 0)
      .reduce((total, count) => total + count + TOKENS_PER_MESSAGE, 0);
    const seen = (files.get(id) ?? []).filter((file) => isSeenBy(model, file));
    history.push({
      sequence,
      tokens: sum,
      ...(seen.length === 0 ? {} : { files: await weighFiles(on, seen, model, count) }),
    });
  }
  return history;
}
