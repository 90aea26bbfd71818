import { AppError } from '../../../domain/errors.ts';
import { FILE_LIMITS } from '../../../domain/files/file.ts';
import { DETAILS } from '../../../domain/files/vision.ts';
import type { ImagePart, PromptPart } from '../../../domain/usage.ts';
import { readFile } from '../../../platform/files/read-file.ts';
import { FileRefused } from '../../../platform/files/refused.ts';
import { invalid, unsupported } from '../refusals.ts';

/** Bytes of all images of a request, in base64: 6 MB. */
export const MOST_IMAGES_IN_BASE64 = inBase64(6 * 1_024 * 1_024);
const MOST_IMAGES = 32;

const DATA = /^data:image\/[\w.+-]+;base64,/i;
const BASE64 = /^[A-Za-z0-9+/]*={0,2}$/;

/**
 * An image of a request, by its bytes and not by what is said of them, without what a camera notes.
 * @param url a `data:` URL. Nothing is fetched: what an address holds, and so what it costs, would be known too late.
 * @param at where `url` stands in the body.
 * @throws AppError unsupported_parameter for an address; payload_too_large; file_refused; invalid_request.
 */
export function readImage(url: unknown, detail: unknown, at: string): ImagePart {
  if (typeof url !== 'string') throw invalid(at, 'must be a data: URL');
  const head = DATA.exec(url)?.[0];
  if (head === undefined)
    throw unsupported(at, 'must be a data:image/…;base64 URL: send the image itself, no address is fetched');
  const base64 = url.slice(head.length);
  if (base64.length > inBase64(FILE_LIMITS.bytes))
    throw new AppError('payload_too_large', { field: at, mostBytes: FILE_LIMITS.bytes });
  if (!BASE64.test(base64)) throw invalid(at, 'must be base64');
  const known = DETAILS.find((word) => word === detail);
  if (detail != null && known === undefined) throw invalid(at, `must have a detail of ${DETAILS.join(', ')}`);
  const { bytes, mediaType, size } = readOrRefuse(Buffer.from(base64, 'base64'), at);
  return {
    type: 'image_url',
    image_url: {
      url: `data:${mediaType};base64,${bytes.toString('base64')}`,
      ...(known === undefined ? {} : { detail: known }),
    },
    size,
  };
}

function readOrRefuse(sent: Buffer, at: string) {
  try {
    const { bytes, mediaType, width, height } = readFile(sent, { name: '', type: 'image/*' });
    if (width === null || height === null) throw new FileRefused('type');
    return { bytes, mediaType, size: { width, height } };
  } catch (error) {
    if (!(error instanceof FileRefused)) throw error;
    throw new AppError('file_refused', { field: at, reason: error.reason }, { cause: error });
  }
}

/** One text where there is no image: providers that take no parts take that. */
export function joined(parts: readonly PromptPart[]): string | readonly PromptPart[] {
  return parts.some(({ type }) => type === 'image_url')
    ? parts
    : parts.map((part) => (part.type === 'text' ? part.text : '')).join('');
}

/** @throws AppError invalid_request: a request shows too many images, for a model looks at each. */
export function assertFew(images: readonly ImagePart[], at: string): void {
  if (images.length > MOST_IMAGES) throw invalid(at, `must show at most ${MOST_IMAGES} images`);
}

function inBase64(bytes: number): number {
  return Math.ceil(bytes / 3) * 4;
}
