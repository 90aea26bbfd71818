import { accepted, ApiError } from '../../api/api-error.ts';
import type { Schemas } from '../../api/schemas.ts';
import { authorizedFetch } from '../../session/fetch.ts';
import { changeAttached, compose, composingOf, type Attached } from '../composer/composing.ts';
import { shrink } from './shrink.ts';

/** Files that a question shows at most, as the API takes them. */
export const MOST_FILES = 8;
/** Bytes of the largest file, as the API takes it. */
const LARGEST = 5 * 1_024 * 1_024;

/** What is being sent, by its key: the file, to send it again, and how to stop it. */
const sending = new Map<string, { readonly blob: File; readonly stop: AbortController }>();

/** Attaches files to the draft of a conversation, and sends them to the server. Those beyond the most are refused. */
export function attach(conversationId: string | null, files: readonly File[]): void {
  for (const blob of files) {
    const key = crypto.randomUUID();
    const isImage = blob.type.startsWith('image/');
    const { files: before } = composingOf(conversationId);
    const isTooMany = before.length >= MOST_FILES;
    const attached: Attached = {
      key,
      name: blob.name,
      isImage,
      file: null,
      problem: isTooMany ? new ApiError('file_refused', 422, { reason: 'count' }) : null,
    };
    compose(conversationId, { files: [...before, attached] });
    if (!isTooMany) void send(key, blob);
  }
}

/** Sends a file again whose sending failed. */
export function sendAgain(key: string): void {
  const before = sending.get(key);
  if (before === undefined) return;
  changeAttached(key, { problem: null });
  void send(key, before.blob);
}

/** Takes a file out of the draft. The server forgets it at once where it can, else after a day. */
export function detach(conversationId: string | null, { key, file }: Attached): void {
  sending.get(key)?.stop.abort();
  sending.delete(key);
  compose(conversationId, { files: composingOf(conversationId).files.filter((other) => other.key !== key) });
  if (file !== null) void authorizedFetch(`/api/files/${file.fileId}`, { method: 'DELETE' }).catch(() => {});
}

async function send(key: string, blob: File): Promise<void> {
  const stop = new AbortController();
  sending.set(key, { blob, stop });
  try {
    const body = await shrink(blob);
    if (body.size > LARGEST) throw new ApiError('file_refused', 422, { reason: 'size' });
    const response = await authorizedFetch(`/api/files?name=${encodeURIComponent(blob.name)}`, {
      method: 'POST',
      body,
      signal: stop.signal,
      headers: { 'Content-Type': body.type || 'application/octet-stream', 'Idempotency-Key': key },
    });
    const file = (await (await accepted(response)).json()) as Schemas['File'];
    sending.delete(key);
    changeAttached(key, { file, name: file.name, isImage: file.width !== null });
  } catch (error) {
    if (stop.signal.aborted) return;
    const problem = error instanceof ApiError ? error : new ApiError('offline', 0, {}, { cause: error });
    changeAttached(key, { problem });
  }
}
