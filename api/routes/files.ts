import { createHash } from 'node:crypto';
import { v7 as uuidv7 } from 'uuid';
import { z } from 'zod';
import { findFile, removeFile } from '../../db/files/files.ts';
import { AppError } from '../../domain/errors.ts';
import { FILE_LIMITS, textForModel } from '../../domain/files/file.ts';
import type { Encoding } from '../../domain/model.ts';
import { keepFile, readContent, removeErased } from '../../operations/files/contents.ts';
import { writeOrFind } from '../../operations/look-up.ts';
import { readFile, type ReadFile } from '../../platform/files/read-file.ts';
import { FileRefused } from '../../platform/files/refused.ts';
import type { ApiDeps, Caller } from '../context.ts';
import { readIdempotencyKey } from '../http/idempotency-key.ts';
import { defineRoute, type Reply, type Route } from '../http/route.ts';
import { presentFile } from '../present/file.ts';
import { createMessageCounter, type MessageCounter } from '../turns/count-message.ts';
import { file, uploadQuery } from '../wire/file.ts';
import { uuid } from '../wire/fields.ts';

const params = z.object({ fileId: uuid });

export function fileRoutes(deps: ApiDeps): Route[] {
  const { database } = deps;
  const counter = createMessageCounter(deps.counter);
  return [
    defineRoute({
      method: 'post',
      path: '/api/files',
      access: 'user',
      need: 'chat',
      tag: 'Files',
      limit: 'send',
      summary: 'Keep an image or a text that a question is to show: the body is the file, whatever its Content-Type',
      query: uploadQuery,
      headers: z.object({
        'Idempotency-Key': z.string().optional().meta({
          description: '1 to 255 visible ASCII characters, unique per person; the same key is the same file',
        }),
      }),
      mostBytes: FILE_LIMITS.bytes,
      answers: { 201: { description: 'It is kept; for 24 hours, unless a question shows it', body: file } },
      errors: ['file_refused', 'file_quota_reached', 'idempotency_conflict', 'overloaded', 'unavailable'],
      handle: (caller, { query, bytes }) => upload(deps, counter, caller, { name: query.name, bytes }),
    }),
    defineRoute({
      method: 'get',
      path: '/api/files/:fileId',
      access: 'user',
      tag: 'Files',
      limit: 'read',
      summary: 'A file of yours, as an attachment',
      params,
      answers: { 200: { description: 'Its bytes, by its own `Content-Type`', binary: true } },
      errors: ['not_found'],
      async handle({ principal, response }, { params: { fileId } }) {
        const found = await findFile(database.reads, { fileId, userId: principal.userId });
        if (found === null) throw new AppError('not_found');
        const bytes = await readContent(database.reads, deps.objects, found);
        response
          .status(200)
          .attachment(found.name)
          .set({
            'Content-Type': found.mediaType === 'text/plain' ? 'text/plain; charset=utf-8' : found.mediaType,
            // Whatever a browser makes of it, it runs nothing and reaches nobody.
            'Content-Security-Policy': "default-src 'none'; sandbox",
            'Cross-Origin-Resource-Policy': 'same-origin',
          })
          .end(bytes);
        return null;
      },
    }),
    defineRoute({
      method: 'delete',
      path: '/api/files/:fileId',
      access: 'user',
      need: 'chat',
      tag: 'Files',
      limit: 'read',
      summary: 'Delete a file that no question shows; one that is shown goes with its conversation',
      params,
      answers: { 204: { description: 'It is gone' } },
      errors: ['not_found', 'file_attached'],
      async handle({ principal }, { params: { fileId } }) {
        await removeFile(database, { fileId, userId: principal.userId });
        await removeErased(deps);
        return { status: 204 };
      },
    }),
  ];
}

async function upload(
  deps: ApiDeps,
  counter: MessageCounter,
  caller: Caller,
  sent: { readonly name: string; readonly bytes: Buffer },
): Promise<Reply> {
  const { userId, accountId, suspended } = caller.principal;
  if (suspended) throw new AppError('account_suspended');
  const idempotencyKey = readIdempotencyKey(caller);
  const read = readOrRefuse(sent.bytes, { name: sent.name, type: caller.request.get('content-type') });
  const { name, mediaType, bytes: content, width, height } = read;
  const fileId = uuidv7();
  const stored = await writeOrFind(
    async () =>
      keepFile(
        deps,
        {
          ...{ fileId, userId, name, mediaType, content, width, height, idempotencyKey },
          textTokens: await countText(deps, counter, read, accountId),
          sentHash: createHash('sha256').update(JSON.stringify(sent.name)).update(sent.bytes).digest(),
        },
        { bytes: deps.config.files.bytesPerPerson },
      ),
    () => findFile(deps.database.sql, { fileId, userId }),
  );
  return { status: 201, body: presentFile(stored) };
}

function readOrRefuse(bytes: Buffer, said: { readonly name: string; readonly type: string | undefined }): ReadFile {
  try {
    return readFile(bytes, said);
  } catch (error) {
    throw error instanceof FileRefused
      ? new AppError('file_refused', { reason: error.reason }, { cause: error })
      : error;
  }
}

/** Counted once, for each encoding of the catalogue, so that no admission has to. */
async function countText(
  { models }: Pick<ApiDeps, 'models'>,
  counter: MessageCounter,
  { name, text }: ReadFile,
  accountId: number,
): Promise<Partial<Record<Encoding, number>> | null> {
  if (text === null) return null;
  const counts: Partial<Record<Encoding, number>> = {};
  for (const encoding of new Set(models.map((model) => model.encoding)))
    counts[encoding] = await counter.count(textForModel(name, text), encoding, accountId);
  return counts;
}
