import { SetupError } from '../../domain/setup-error.ts';

/** A key of 32 bytes for AES-256, under the name that stands beside everything it has encrypted. */
export interface CodecKey {
  readonly id: string;
  readonly key: Buffer;
}

/** How what we give Temporal is encrypted. */
export interface CodecSettings {
  /** All keys decrypt. */
  readonly keys: readonly CodecKey[];
  /** The one that encrypts; null: nothing is encrypted (yet, or any more). */
  readonly encryptsWith: CodecKey | null;
}

/** Stands first in the list while nothing shall be encrypted yet, though every process can already decrypt. */
const NOTHING = 'none';
const KEY_BYTES = 32;

/**
 * `TEMPORAL_CODEC_KEYS`: `id:base64,id:base64`. The first encrypts, all of them decrypt; `none` first encrypts nothing.
 * @returns null when it is not set: payloads are plain, and encrypted ones cannot be read.
 * @throws SetupError that shows no key.
 */
export function readCodec(list: string | undefined): CodecSettings | null {
  if (list === undefined) return null;
  const [first = '', ...others] = list.split(',').map((entry) => entry.trim());
  const isOff = first === NOTHING;
  const keys = (isOff ? others : [first, ...others]).map(readKey);
  if (keys.length === 0) throw refused('must hold a key behind `none`');
  const twice = keys.find(({ id }, nth) => keys.findIndex((other) => other.id === id) !== nth);
  if (twice !== undefined) throw refused(`has two keys with the id ${twice.id}`);
  return { keys, encryptsWith: isOff ? null : (keys[0] ?? null) };
}

function readKey(entry: string): CodecKey {
  const [, id, text = ''] = /^([\w.-]{1,64}):([A-Za-z0-9+/]+={0,2})$/.exec(entry) ?? [];
  const key = Buffer.from(text, 'base64');
  if (id === undefined || id === NOTHING || key.length !== KEY_BYTES)
    throw refused(
      'must be a list of id:key, where an id has letters, digits, `.`, `_` and `-`, and a key is 32 bytes in base64 (`openssl rand -base64 32`)',
    );
  return { id, key };
}

function refused(why: string): SetupError {
  return new SetupError(`TEMPORAL_CODEC_KEYS: ${why}`);
}
