import type { Payload, PayloadCodec } from '@temporalio/common';
import type { RecordedHistory } from './recorded.ts';

/** A payload in the JSON form of a history, where bytes are base64. */
interface Written {
  readonly metadata: Readonly<Record<string, string>>;
  readonly data: string;
}

/**
 * The same history as a worker with this codec would have made it, from one event on; those before it stay plain. What
 * the server must read (headers, search attributes) and what the SDK's core writes past the codec stay plain, too.
 */
export async function encodedBy(codec: PayloadCodec, history: RecordedHistory, from = 1): Promise<RecordedHistory> {
  const events = await Promise.all(
    history.events.map(async (event) => (Number(event.eventId) < from ? event : await encodeIn(codec, event))),
  );
  return { events: events as RecordedHistory['events'] };
}

const PLAIN = /^(header|searchAttributes)$/;

async function encodeIn(codec: PayloadCodec, value: unknown): Promise<unknown> {
  if (Array.isArray(value)) return Promise.all(value.map((part) => encodeIn(codec, part)));
  if (typeof value !== 'object' || value === null) return value;
  if (isPayload(value)) return encode(codec, value);
  const parts = Object.entries(value).map(async ([name, part]): Promise<[string, unknown]> => {
    if (PLAIN.test(name) || isMarker(name, part)) return [name, await markerOf(codec, name, part)];
    return [name, await encodeIn(codec, part)];
  });
  const changed = Object.fromEntries(await Promise.all(parts));
  return isFailure(changed) ? withoutWords(codec, changed) : changed;
}

/** What core writes itself, for a local activity (`data`, beside its `result`) and for a patch. */
const CORES = ['data', 'patch-data'];

function isMarker(name: string, part: unknown): boolean {
  return name === 'details' && typeof part === 'object' && part !== null && CORES.some((own) => own in part);
}

async function markerOf(codec: PayloadCodec, name: string, part: any): Promise<unknown> {
  if (name !== 'details') return part;
  const own = Object.fromEntries(Object.entries(part).filter(([of]) => CORES.includes(of)));
  return { ...((await encodeIn(codec, part.result === undefined ? {} : { result: part.result })) as object), ...own };
}

function isFailure(value: object): value is { message: string; stackTrace?: string } {
  return 'message' in value && Object.keys(value).some((name) => name.endsWith('FailureInfo'));
}

async function withoutWords(codec: PayloadCodec, { message, stackTrace = '', ...failure }: any): Promise<unknown> {
  if (failure.source !== 'TypeScriptSDK') return { message, stackTrace, ...failure };
  const attributes = Buffer.from(JSON.stringify({ message, stack_trace: stackTrace }));
  const plain = { encoding: Buffer.from('json/plain').toString('base64') };
  const encodedAttributes = await encode(codec, { metadata: plain, data: attributes.toString('base64') });
  return { ...failure, message: 'Encoded failure', stackTrace: '', encodedAttributes };
}

function isPayload(value: object): value is Written {
  return 'metadata' in value && 'data' in value && typeof value.data === 'string';
}

async function encode(codec: PayloadCodec, { metadata, data }: Written): Promise<Written> {
  const payload: Payload = {
    metadata: Object.fromEntries(Object.entries(metadata).map(([name, text]) => [name, Buffer.from(text, 'base64')])),
    data: Buffer.from(data, 'base64'),
  };
  const [encoded] = await codec.encode([payload]);
  return {
    metadata: Object.fromEntries(
      Object.entries(encoded?.metadata ?? {}).map(([name, bytes]) => [name, Buffer.from(bytes).toString('base64')]),
    ),
    data: Buffer.from(encoded?.data ?? []).toString('base64'),
  };
}
