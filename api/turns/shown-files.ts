import { getFiles } from '../../db/files/files.ts';
import { AppError } from '../../domain/errors.ts';
import { FILE_LIMITS, isSeenBy } from '../../domain/files/file.ts';
import type { PricedModel } from '../../domain/model.ts';
import type { ApiDeps } from '../context.ts';

/** Codes with which a question may be refused for what it shows. */
export const FILE_ERRORS = ['file_not_found', 'model_sees_no_images', 'payload_too_large'] as const;

/** Refuses a question whose files are not there, are too many bytes together, or cannot be seen by the model. */
export async function assertMayShow(
  { database }: Pick<ApiDeps, 'database'>,
  { fileIds, userId, model }: { fileIds: readonly string[]; userId: number; model: PricedModel },
): Promise<void> {
  if (fileIds.length === 0) return;
  const files = await getFiles(database.sql, { fileIds, userId });
  if (!files.every((file) => isSeenBy(model, file))) throw new AppError('model_sees_no_images', { field: 'files' });
  const bytes = files.reduce((sum, file) => sum + file.bytes, 0);
  if (bytes > FILE_LIMITS.perTurnBytes)
    throw new AppError('payload_too_large', { field: 'files', mostBytes: FILE_LIMITS.perTurnBytes });
}
