import { imageTokens, publishedVision, type Size } from '../../domain/files/vision.ts';

/** What the provider says of a request's images: their tokens, or why it takes none of it. */
export type LookedAt =
  { readonly tokens: number } | { readonly refused: { readonly code: string; readonly message: string } };

const TYPES = /^data:(image\/(?:png|jpeg|webp|gif));base64,([A-Za-z0-9+/]+={0,2})$/;

/** Checks image parts as OpenAI does, with a reader of headers of its own, and counts them by its published rule. */
export function lookAt(
  model: string,
  messages: readonly { readonly role: string; readonly content: unknown }[],
): LookedAt {
  let tokens = 0;
  for (const { role, content } of messages) {
    if (!Array.isArray(content)) continue;
    for (const part of content as { type: string; text?: unknown; image_url?: { url?: unknown; detail?: unknown } }[]) {
      if (part.type === 'text' && typeof part.text === 'string') continue;
      if (part.type !== 'image_url') return refused('invalid_value', `Invalid value: '${part.type}'.`);
      if (role !== 'user') return refused('invalid_value', `Image URLs are only allowed for messages with role 'user'`);
      const vision = publishedVision(model);
      if (vision === null) return refused('model_not_supported', 'This model does not support image inputs.');
      const { url, detail } = part.image_url ?? {};
      const [, type, base64] = TYPES.exec(String(url)) ?? [];
      if (type === undefined || base64 === undefined || base64.length % 4 !== 0)
        return refused('invalid_image_url', 'Failed to parse the image URL.');
      if (!['auto', 'low', 'high', undefined].includes(detail as string | undefined))
        return refused('invalid_value', `Invalid value: '${String(detail)}'.`);
      const size = sizeOf(type, Buffer.from(base64, 'base64'));
      if (size === null) return refused('invalid_image_format', 'You uploaded an unsupported image.');
      tokens += imageTokens(vision, size, detail === 'low' ? 'low' : 'high');
    }
  }
  return { tokens };
}

function refused(code: string, message: string): LookedAt {
  return { refused: { code, message } };
}

function sizeOf(type: string, bytes: Buffer): Size | null {
  const head = bytes.toString('latin1', 0, 16);
  if (type === 'image/png')
    return /^\x89PNG/.test(head) && bytes.includes('IEND')
      ? { width: bytes.readUInt32BE(16), height: bytes.readUInt32BE(20) }
      : null;
  if (type === 'image/gif')
    return head.startsWith('GIF8') ? { width: bytes.readUInt16LE(6), height: bytes.readUInt16LE(8) } : null;
  if (type === 'image/jpeg') return sizeOfJpeg(bytes);
  return head.startsWith('RIFF') && head.slice(8, 12) === 'WEBP' ? sizeOfWebp(bytes) : null;
}

function sizeOfJpeg(bytes: Buffer): Size | null {
  if (bytes[0] !== 0xff || bytes[1] !== 0xd8 || bytes.lastIndexOf(Buffer.from([0xff, 0xd9])) !== bytes.length - 2)
    return null;
  for (let at = 2; at + 9 < bytes.length; at += 2 + bytes.readUInt16BE(at + 2))
    if ([0xc0, 0xc1, 0xc2].includes(bytes[at + 1] ?? 0))
      return { width: bytes.readUInt16BE(at + 7), height: bytes.readUInt16BE(at + 5) };
  return null;
}

function sizeOfWebp(bytes: Buffer): Size | null {
  const kind = bytes.toString('latin1', 12, 16);
  if (kind === 'VP8X') return { width: 1 + bytes.readUIntLE(24, 3), height: 1 + bytes.readUIntLE(27, 3) };
  if (kind === 'VP8 ') return { width: bytes.readUInt16LE(26) & 0x3fff, height: bytes.readUInt16LE(28) & 0x3fff };
  if (kind !== 'VP8L') return null;
  const bits = bytes.readUInt32LE(21);
  return { width: 1 + (bits & 0x3fff), height: 1 + ((bits >>> 14) & 0x3fff) };
}
