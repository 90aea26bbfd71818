import { findKnown, getContent, storeFile, type FileRecord, type FileToStore } from '../../db/files/files.ts';
import {
  claimLooseObjects,
  forgetLooseObjects,
  forgetUpload,
  noteLooseObject,
  noteUpload,
} from '../../db/files/loose-objects.ts';
import type { Database, Sql } from '../../db/database.ts';
import { AppError } from '../../domain/errors.ts';
import type { AttachedFile } from '../../domain/files/file.ts';
import { ObjectStoreAway, type ObjectStore } from '../../platform/objects/object-store.ts';
import { sha256 } from '../../platform/objects/signature.ts';
import type { Warnings } from '../deps.ts';

/** Where the bytes of files are: texts in PostgreSQL, images there or in a store that speaks S3. */
export interface Contents {
  readonly database: Database;
  /** Null: none is configured. */
  readonly objects: ObjectStore | null;
  readonly log: Warnings;
}

/**
 * Keeps a file. The store has an image before PostgreSQL names it. Whatever breaks off between the two, its object is
 * noted before, counts in the person's quota, and is removed after an hour.
 * @param most.bytes what all files of a person may have together.
 * @throws AppError file_quota_reached, idempotency_conflict; ObjectStoreAway; OutcomeUnknown with `fileId`.
 */
export async function keepFile(
  { database, objects, log }: Contents,
  file: Omit<FileToStore, 'objectHash'>,
  most: { readonly bytes: number },
): Promise<FileRecord> {
  if (objects === null || file.width === null) return storeFile(database, { ...file, objectHash: null }, most);
  const { fileId, userId, content, mediaType } = file;
  const known = await database.transaction(async (tx) => {
    const found = await findKnown(tx, file, most);
    if (found === null) await noteUpload(tx, { fileId, userId, size: content.length });
    return found;
  });
  if (known !== null) return known;
  const hash = sha256(content);
  try {
    await objects.put(keyOf(fileId), { bytes: content, hash, mediaType });
  } catch (error) {
    // Of what was not answered nobody knows whether it will still be written: its note stands for an hour.
    if (error instanceof ObjectStoreAway && error.isRefused) await forgetUpload(database, fileId);
    throw error;
  }
  const stored = await storeFile(database, { ...file, objectHash: hash }, most).catch(async (error: unknown) => {
    if (error instanceof AppError) await letGo({ database, objects, log }, fileId);
    throw error;
  });
  // Another upload of the same key was first.
  if (stored.fileId !== fileId) await letGo({ database, objects, log }, fileId);
  return stored;
}

async function letGo(contents: Contents, fileId: string): Promise<void> {
  await noteLooseObject(contents.database, fileId);
  await removeErased(contents);
}

/** @throws AppError not_found; ObjectStoreAway, also when the store that has it is not configured here. */
export async function readContent(
  on: Sql,
  objects: ObjectStore | null,
  { fileId, bytes, objectHash }: Pick<AttachedFile, 'fileId' | 'bytes' | 'objectHash'>,
): Promise<Buffer> {
  if (objectHash === null) return getContent(on, fileId);
  if (objects === null) throw new ObjectStoreAway('GET', 0, '(S3_ENDPOINT is not set)');
  return objects.get(keyOf(fileId), { bytes, hash: objectHash });
}

/** Requests to the store at once. */
const AT_ONCE = 10;

/**
 * Removes from the store what no file names: images of erased conversations, deleted drafts and uploads that came to
 * nothing. What cannot be removed now is claimed again by a later round.
 * @param options.withinMs for each of them.
 * @param options.onStep called after each step.
 * @returns how many are gone.
 */
export async function removeLooseObjects(
  { database, objects, log }: Contents,
  { most, withinMs, onStep = () => {} }: { most: number; withinMs: number; onStep?: () => void },
): Promise<number> {
  if (objects === null) return 0;
  for (let removed = 0; ;) {
    const claimed = await claimLooseObjects(database, Math.min(AT_ONCE, most - removed));
    const answers = await Promise.allSettled(claimed.map((fileId) => objects.remove(keyOf(fileId), { withinMs })));
    const gone = claimed.filter((_fileId, i) => answers[i]?.status === 'fulfilled');
    await forgetLooseObjects(database, gone);
    removed += gone.length;
    onStep();
    const failed = answers.find(({ status }) => status === 'rejected') as PromiseRejectedResult | undefined;
    if (failed !== undefined) {
      if (!(failed.reason instanceof ObjectStoreAway)) throw failed.reason;
      log.warn(
        { left: claimed.length - gone.length, reason: failed.reason.message },
        'images stay in the store for now',
      );
    }
    if (failed !== undefined || claimed.length < AT_ONCE || removed >= most) return removed;
  }
}

/** Removes them at once, for whoever has just erased some. What does not succeed here is reconcile's. */
export async function removeErased(contents: Contents): Promise<void> {
  await removeLooseObjects(contents, { most: 5 * AT_ONCE, withinMs: 2_000 }).catch((error: unknown) =>
    contents.log.warn({ reason: String(error) }, 'images of what was erased await reconcile'),
  );
}

function keyOf(fileId: string): string {
  return `files/${fileId}`;
}
