import type { z } from 'zod';
import type { FileRecord } from '../../db/files/files.ts';
import type { AttachedFile } from '../../domain/files/file.ts';
import type { file, shownFile } from '../wire/file.ts';
import { iso } from './turn.ts';

export function presentShown(shown: AttachedFile): z.infer<typeof shownFile> {
  const { fileId, name, mediaType, bytes, width, height } = shown;
  return { fileId, name, mediaType, bytes, width, height };
}

export function presentFile(record: FileRecord): z.infer<typeof file> {
  return { ...presentShown(record), createdAt: iso(record.createdAt) };
}
