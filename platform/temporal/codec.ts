import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { ValueError, type DataConverter, type Payload, type PayloadCodec } from '@temporalio/common';
import proto from '@temporalio/proto';
import type { CodecSettings } from '../config/codec-settings.ts';

const { Payload: Wire } = proto.temporal.api.common.v1;

/** The words of Temporal's own samples, which its tools know. */
const [ENCODING, KEY_ID] = ['binary/encrypted', 'encryption-key-id'] as const;
const ENCRYPTED = Buffer.from(ENCODING);
const NONCE = 12;
const TAG = 16;

/** Also of the worker's bundle, whose sandbox makes failures of its own. */
export const FAILURE_CONVERTER = join(import.meta.dirname, '..', '..', 'workflows', 'failures', 'encoded.ts');

/**
 * Encrypts what Temporal keeps of a workflow (arguments, results, details, summaries) with AES-256-GCM: nonce (12),
 * text, tag (16). What is plain is read as it is, so that workflows which began before go on.
 */
export function createCodec({ keys, encryptsWith }: CodecSettings): PayloadCodec {
  const keyOf = new Map(keys.map(({ id, key }) => [id, key]));
  return {
    encode: async (payloads) => (encryptsWith === null ? payloads : payloads.map(encrypt)),
    decode: async (payloads) => payloads.map(decrypt),
  };

  function encrypt(payload: Payload): Payload {
    if (encryptsWith === null) return payload;
    const nonce = randomBytes(NONCE);
    const cipher = createCipheriv('aes-256-gcm', encryptsWith.key, nonce, { authTagLength: TAG });
    const text = Buffer.concat([cipher.update(Wire.encode(payload).finish()), cipher.final()]);
    return {
      metadata: { encoding: ENCRYPTED, [KEY_ID]: Buffer.from(encryptsWith.id) },
      data: Buffer.concat([nonce, text, cipher.getAuthTag()]),
    };
  }

  /** @throws ValueError for what no key at hand opens. The task is then tried again, until somebody brings the key. */
  function decrypt(payload: Payload): Payload {
    const { metadata, data } = payload;
    if (!isEncrypted(payload)) return payload;
    const id = Buffer.from(metadata?.[KEY_ID] ?? []).toString();
    const key = keyOf.get(id);
    if (key === undefined) throw new ValueError(`TEMPORAL_CODEC_KEYS has no key with the id ${id}`);
    const sealed = Buffer.from(data ?? []);
    try {
      const decipher = createDecipheriv('aes-256-gcm', key, sealed.subarray(0, NONCE), {
        authTagLength: TAG,
      }).setAuthTag(sealed.subarray(-TAG));
      return Wire.decode(Buffer.concat([decipher.update(sealed.subarray(NONCE, -TAG)), decipher.final()]));
    } catch (cause) {
      throw new ValueError(`a payload cannot be opened with the key ${id}`, cause);
    }
  }
}

export function isEncrypted({ metadata }: Payload): boolean {
  return ENCRYPTED.equals(metadata?.['encoding'] ?? Buffer.alloc(0));
}

/** What client, worker and replay are given; without settings the SDK's own, which keeps everything plain. */
export function dataConverterOf(settings: CodecSettings | null): DataConverter {
  if (settings === null) return {};
  return {
    payloadCodecs: [createCodec(settings)],
    ...(encryptsFailures(settings) ? { failureConverterPath: FAILURE_CONVERTER } : {}),
  };
}

/** Messages and stacks of failures are plain text unless they are made into a payload first. */
export function encryptsFailures(settings: CodecSettings | null): boolean {
  return settings !== null && settings.encryptsWith !== null;
}
