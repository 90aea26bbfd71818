import { createHash } from 'node:crypto';
import type { z } from 'zod';
import type { sendBody } from '../wire/turn.ts';

/**
 * Hashes the parsed fields in a fixed order. The key itself, Accept and Prefer are not part of the question. A body
 * without a parent or files keeps the hash that it had before there were any.
 */
export function hashOf(body: z.infer<typeof sendBody>): Buffer {
  const { message, conversationId, model, maxOutputTokens, parentTurnId, files } = body;
  const fields = [message, conversationId ?? null, model ?? null, maxOutputTokens ?? null];
  return createHash('sha256')
    .update(JSON.stringify(parentTurnId === undefined ? fields : [...fields, parentTurnId]))
    .update(files === undefined || files.length === 0 ? '' : JSON.stringify({ files }))
    .digest();
}
