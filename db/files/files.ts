import { sql } from 'kysely';
import { FILE_LIMITS, type FileType } from '../../domain/files/file.ts';
import { AppError } from '../../domain/errors.ts';
import type { Encoding } from '../../domain/model.ts';
import { columnsOf, type RowOf } from '../columns.ts';
import { first, one, violatedConstraint, type Database, type Sql, type Tx } from '../database.ts';
import { naming } from '../driver/outcome.ts';
import { File } from '../entities/files/file.ts';
import { takeLooseObject } from './loose-objects.ts';

const fileColumns = columnsOf(File, 'f', {
  fileId: 'id',
  name: 'name',
  mediaType: 'mediaType',
  bytes: 'size',
  width: 'width',
  height: 'height',
  textTokens: 'textTokens',
  objectHash: 'objectHash',
  createdAt: 'createdAt',
});
export type FileRecord = RowOf<typeof fileColumns>;

export interface FileToStore {
  readonly fileId: string;
  readonly userId: number;
  readonly name: string;
  readonly mediaType: FileType;
  readonly content: Buffer;
  readonly width: number | null;
  readonly height: number | null;
  readonly textTokens: Partial<Record<Encoding, number>> | null;
  readonly sentHash: Buffer;
  readonly idempotencyKey: string | null;
  /** SHA-256 in hex of the object that the S3 store has already; null: the content is kept here. */
  readonly objectHash: string | null;
}

/**
 * Stores a file that no question shows yet, or finds the one that the key is bound to.
 * @param most.bytes what all files of a person may have together.
 * @throws AppError file_quota_reached, idempotency_conflict. OutcomeUnknown with `fileId`.
 */
export async function storeFile(
  database: Database,
  file: FileToStore,
  most: { readonly bytes: number },
): Promise<FileRecord> {
  try {
    return await naming({ fileId: file.fileId }, () => database.transaction((tx) => store(tx, file, most)));
  } catch (error) {
    // Two uploads of one key raced: this one finds the winner's row.
    if (violatedConstraint(error) !== 'files_idempotency_key_is_unique') throw error;
    return database.transaction((tx) => store(tx, file, most));
  }
}

async function store(tx: Tx, file: FileToStore, most: { readonly bytes: number }): Promise<FileRecord> {
  const { fileId, userId, content, objectHash } = file;
  const known = await findKnown(tx, file, most);
  if (known !== null) return known;
  if (objectHash !== null) await takeLooseObject(tx, fileId);
  const kept =
    objectHash === null
      ? sql`, c as (insert into file_contents (file_id, content) select id, ${content}::bytea from f)`
      : sql``;
  return one(
    sql<FileRecord>`with f as (
        insert into files (id, user_id, name, media_type, size, width, height, text_tokens, sent_hash, idempotency_key,
          object_hash, look_at)
        values (${fileId}, ${userId}, ${file.name}, ${file.mediaType}, ${content.length}, ${file.width}, ${file.height},
          ${file.textTokens === null ? null : JSON.stringify(file.textTokens)}::jsonb, ${file.sentHash},
          ${file.idempotencyKey}, ${objectHash}, ${tx.clock()} + ${FILE_LIMITS.unattachedHours} * interval '1 hour')
        returning *
      )${kept} select ${fileColumns} from f`,
    tx,
  );
}

const counted = sql`greatest(size, ${FILE_LIMITS.leastCounted}::integer)`;

/**
 * Locks the person, so that uploads come one after the other and their sum is true. No turn waits for this lock.
 * @returns the file that the key is bound to, else null: there is room for this one.
 * @throws AppError file_quota_reached, idempotency_conflict.
 */
export async function findKnown(
  tx: Tx,
  {
    fileId,
    userId,
    content,
    sentHash,
    idempotencyKey,
  }: Pick<FileToStore, 'fileId' | 'userId' | 'content' | 'sentHash' | 'idempotencyKey'>,
  most: { readonly bytes: number },
): Promise<FileRecord | null> {
  await one(sql`select 1 from users where id = ${userId} for no key update`, tx);
  const { known, sum } = await one(
    sql<{ known: (FileRecord & { sentHash: string }) | null; sum: number }>`select
      (select to_jsonb(k) from (select ${fileColumns}, encode(f.sent_hash, 'hex') as "sentHash" from files f
        where user_id = ${userId} and idempotency_key = ${idempotencyKey}) k) as known,
      (select coalesce(sum(${counted}), 0)::float8 from files where user_id = ${userId})
        + (select coalesce(sum(${counted}), 0)::float8 from loose_objects
          where user_id = ${userId} and file_id <> ${fileId}) as sum`,
    tx,
  );
  if (known !== null) {
    const { sentHash: before, ...record } = known;
    if (before !== sentHash.toString('hex')) throw new AppError('idempotency_conflict', { fileId: record.fileId });
    return record;
  }
  if (sum + Math.max(content.length, FILE_LIMITS.leastCounted) > most.bytes)
    throw new AppError('file_quota_reached', { mostBytes: most.bytes, usedBytes: sum });
  return null;
}

/** A person's own file. */
export async function findFile(
  on: Sql,
  { fileId, userId }: { fileId: string; userId: number },
): Promise<FileRecord | null> {
  return first(sql<FileRecord>`select ${fileColumns} from files f where id = ${fileId} and user_id = ${userId}`, on);
}

/** A person's own files, in this order. @throws AppError file_not_found: one is nobody's, another's, or gone. */
export async function getFiles(
  on: Sql,
  { fileIds, userId }: { fileIds: readonly string[]; userId: number },
): Promise<FileRecord[]> {
  const { rows } = await sql<FileRecord>`select ${fileColumns} from files f
    where id = any(${fileIds}::uuid[]) and user_id = ${userId}`.execute(on);
  return fileIds.map((fileId) => {
    const found = rows.find((row) => row.fileId === fileId);
    if (found === undefined) throw fileNotFound({ fileId });
    return found;
  });
}

export function fileNotFound(details: { readonly fileId?: string } = {}, cause?: unknown): AppError {
  return new AppError('file_not_found', details, { cause });
}

/** For a file that is kept here. @throws AppError not_found, when it is not there any more. */
export async function getContent(on: Sql, fileId: string): Promise<Buffer> {
  const found = await first(sql<{ content: Buffer }>`select content from file_contents where file_id = ${fileId}`, on);
  if (found === null) throw new AppError('not_found');
  return found.content;
}

/**
 * Deletes a file that no question shows. @throws AppError not_found; file_attached: it goes with its conversation.
 */
export async function removeFile(
  database: Database,
  { fileId, userId }: { fileId: string; userId: number },
): Promise<void> {
  await database.transaction(async (tx) => {
    const found = await first(sql`select 1 from files where id = ${fileId} and user_id = ${userId} for update`, tx);
    if (found === null) throw new AppError('not_found');
    if ((await deleteUnattached(tx, [fileId])) === 0) throw new AppError('file_attached');
  });
}

const SWEPT_AT_ONCE = 200;

/**
 * Deletes the files that no question shows a day after they came: the draft was given up, or its question was refused
 * and is gone. A round looks at each file that is due once, and not again before a question lets go of it. It waits for
 * nobody.
 * @param onStep called after each step. @returns how many.
 */
export async function sweepFiles(
  database: Database,
  { onStep = () => {} }: { onStep?: () => void } = {},
): Promise<number> {
  for (let swept = 0; ;) {
    const step = await database.transaction(async (tx) => {
      const { rows } = await sql<{ id: string }>`select id from files where look_at <= ${tx.clock()}
        order by look_at limit ${SWEPT_AT_ONCE} for update skip locked`.execute(tx);
      if (rows.length === 0) return { seen: 0, gone: 0 };
      const fileIds = rows.map(({ id }) => id);
      const gone = await deleteUnattached(tx, fileIds);
      if (gone < rows.length) tx.write(sql`update files set look_at = null where id = any(${fileIds}::uuid[])`);
      return { seen: rows.length, gone };
    });
    swept += step.gone;
    onStep();
    if (step.seen < SWEPT_AT_ONCE) return swept;
  }
}

/** For a holder of their locks, behind which a question that came first is seen. */
export async function deleteUnattached(tx: Tx, fileIds: readonly string[]): Promise<number> {
  if (fileIds.length === 0) return 0;
  const gone = await sql`delete from files f where id = any(${fileIds}::uuid[])
    and not exists (select 1 from turn_files where file_id = f.id)`.execute(tx);
  return Number(gone.numAffectedRows ?? 0n);
}
