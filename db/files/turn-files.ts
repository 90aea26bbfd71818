import { sql, type RawBuilder } from 'kysely';
import { tokensOfFile, type AttachedFile } from '../../domain/files/file.ts';
import type { Model } from '../../domain/model.ts';
import { columnsOf } from '../columns.ts';
import { violatedConstraint, type Sql, type Tx } from '../database.ts';
import { File } from '../entities/files/file.ts';
import { deleteUnattached, fileNotFound } from './files.ts';
import { textOfFile } from './prompt-files.ts';

const attachedColumns = columnsOf(File, 'f', {
  fileId: 'id',
  mediaType: 'mediaType',
  name: 'name',
  bytes: 'size',
  width: 'width',
  height: 'height',
  textTokens: 'textTokens',
  objectHash: 'objectHash',
});

/**
 * For the statement that writes the turn, whose id stands in `turns` as `turn`. Files are referred to, and so locked,
 * in the order in which an erasure locks them.
 */
export function attach(turn: RawBuilder<unknown>, fileIds: readonly string[]): RawBuilder<unknown> {
  return sql`insert into turn_files (turn_id, position, file_id)
    select t.id, (n.place - 1)::smallint, n.file_id from ${turn} t
      cross join unnest(${fileIds}::uuid[]) with ordinality n(file_id, place)
      order by n.file_id`;
}

/** For a turn that is judged anew, whose locks the caller holds. @throws AppError file_not_found. */
export async function replaceFiles(
  tx: Tx,
  { id, fileCount }: { readonly id: string; readonly fileCount: number },
  fileIds: readonly string[],
): Promise<void> {
  if (fileCount > 0) await sql`delete from turn_files where turn_id = ${id}`.execute(tx);
  if (fileIds.length === 0) return;
  try {
    await attach(sql`(select ${id}::uuid as id)`, fileIds).execute(tx);
  } catch (error) {
    throw notFoundWhenGone(error);
  }
}

/** A file may be deleted after it was looked up and before a question shows it. */
export function notFoundWhenGone(error: unknown): unknown {
  return violatedConstraint(error) === 'turn_files_file_id_fkey' ? fileNotFound({}, error) : error;
}

/** The files of these turns, in their order. */
export async function filesOfTurns(
  on: Sql,
  turnIds: readonly string[],
): Promise<ReadonlyMap<string, readonly AttachedFile[]>> {
  if (turnIds.length === 0) return new Map();
  const { rows } = await sql<AttachedFile & { turnId: string }>`select tf.turn_id as "turnId", ${attachedColumns}
    from turn_files tf join files f on f.id = tf.file_id
    where tf.turn_id = any(${turnIds}::uuid[]) order by tf.turn_id, tf.position`.execute(on);
  return Map.groupBy(rows, ({ turnId }) => turnId);
}

/** What admission needs of the files of a turn. */
export interface FileFigures {
  readonly tokens: number;
  readonly bytes: number;
}

/**
 * What files weigh in the prompt of a model that sees them.
 * @param count counts what no upload counted: the catalogue's encoding is another than then.
 */
export async function weighFiles(
  on: Sql,
  files: readonly AttachedFile[],
  model: Pick<Model, 'vision' | 'encoding'>,
  count: (text: string) => number | Promise<number>,
): Promise<FileFigures> {
  let [tokens, bytes] = [0, 0];
  for (const file of files) {
    tokens += tokensOfFile(file, model) ?? (await count(await textOfFile(on, file)));
    bytes += file.bytes;
  }
  return { tokens, bytes };
}

/** Takes the files from the turns of an erased conversation, and deletes those that no other question shows. */
export async function eraseFilesOf(tx: Tx, conversationId: string): Promise<void> {
  const { rows } = await sql<{ id: string }>`delete from turn_files tf using turns t
    where t.id = tf.turn_id and t.conversation_id = ${conversationId} returning tf.file_id as id`.execute(tx);
  if (rows.length === 0) return;
  const fileIds = [...new Set(rows.map(({ id }) => id))];
  await sql`select 1 from files where id = any(${fileIds}::uuid[]) order by id for update`.execute(tx);
  await deleteUnattached(tx, fileIds);
}
