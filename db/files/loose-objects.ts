import { sql } from 'kysely';
import { AppError } from '../../domain/errors.ts';
import { first, type Database, type Tx } from '../database.ts';

/** Longer than any upload: what it leaves behind then goes, and counts in nobody's quota any more. */
const UPLOAD_HOURS = 1;

/** Notes an object that is about to be written. Until a file names it, it counts in the person's quota. */
export async function noteUpload(
  tx: Tx,
  { fileId, userId, size }: { fileId: string; userId: number; size: number },
): Promise<void> {
  await sql`insert into loose_objects (file_id, user_id, size, noted_at, remove_at)
    values (${fileId}, ${userId}, ${size}, now(), now() + ${UPLOAD_HOURS} * interval '1 hour')`.execute(tx);
}

/** For an upload of which the store has written nothing. */
export async function forgetUpload(database: Database, fileId: string): Promise<void> {
  await sql`delete from loose_objects where file_id = ${fileId} and user_id is not null`.execute(database.sql);
}

/** For an object that is written, and that no file will name. It is to be removed at once. */
export async function noteLooseObject(database: Database, fileId: string): Promise<void> {
  await sql`insert into loose_objects (file_id, remove_at) values (${fileId}, now())
    on conflict (file_id) do update set user_id = null, size = null, remove_at = now()`.execute(database.sql);
}

/**
 * For the transaction in which a file names the object. @throws AppError unavailable: it has been given up meanwhile.
 */
export async function takeLooseObject(tx: Tx, fileId: string): Promise<void> {
  const taken = await first(
    sql`delete from loose_objects where file_id = ${fileId} and user_id is not null returning 1`,
    tx,
  );
  if (taken === null) throw new AppError('unavailable', { retryAfter: 1 });
}

/** Whoever removes objects and dies is followed by another after so long. */
const CLAIMED_FOR = sql.raw("interval '2 minutes'");

/** Claims objects that are to be removed, those that wait longest first. No file can name them from here on. */
export async function claimLooseObjects(database: Database, most: number): Promise<string[]> {
  const { rows } = await sql<{ fileId: string }>`update loose_objects set user_id = null, size = null,
      noted_at = case when user_id is null then noted_at else now() end, remove_at = now() + ${CLAIMED_FOR}
    where file_id in (select file_id from loose_objects where remove_at <= now() order by remove_at limit ${most}
      for update skip locked) returning file_id as "fileId"`.execute(database.sql);
  return rows.map(({ fileId }) => fileId);
}

/** For objects that are not in the store any more. */
export async function forgetLooseObjects(database: Database, fileIds: readonly string[]): Promise<void> {
  if (fileIds.length === 0) return;
  await sql`delete from loose_objects where file_id = any(${fileIds}::uuid[])`.execute(database.sql);
}

/** Whether an image is kept in an S3 store. */
export async function hasImagesElsewhere(database: Database): Promise<boolean> {
  return (await first(sql`select 1 from files where object_hash is not null limit 1`, database.sql)) !== null;
}
