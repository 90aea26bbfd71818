import { FILE_LIMITS, type FileType } from '../../domain/files/file.ts';
import { gif } from './gif.ts';
import type { ImageFormat } from './image.ts';
import { jpeg } from './jpeg.ts';
import { png } from './png.ts';
import { FileRefused } from './refused.ts';
import { readText } from './text.ts';
import { webp } from './webp.ts';

/** A file as it is kept. */
export interface ReadFile {
  readonly mediaType: FileType;
  /** With the ending of what it is, whatever it was called. */
  readonly name: string;
  readonly bytes: Buffer;
  readonly width: number | null;
  readonly height: number | null;
  /** Of a text. */
  readonly text: string | null;
}

const IMAGES = {
  'image/png': { format: png, endings: ['png'] },
  'image/jpeg': { format: jpeg, endings: ['jpg', 'jpeg'] },
  'image/webp': { format: webp, endings: ['webp'] },
  'image/gif': { format: gif, endings: ['gif'] },
} as const satisfies Partial<Record<FileType, { format: ImageFormat; endings: readonly string[] }>>;
const FORMATS = Object.entries(IMAGES) as [keyof typeof IMAGES, { format: ImageFormat; endings: readonly string[] }][];

/** Endings of pictures, also of those that no model takes. A file that is called so and is none is not read as text. */
const PICTURES = /\.(png|jpe?g|webp|gif|svgz?|bmp|tiff?|heic|heif|avif|ico|jxl|psd)$/i;

/**
 * Looks at the bytes, and believes nothing that is said about them.
 * @param file at most `FILE_LIMITS.bytes`.
 * @param said what its sender calls it. @throws FileRefused.
 */
export function readFile(file: Buffer, said: { readonly name: string; readonly type: string | undefined }): ReadFile {
  if (file.length === 0) throw new FileRefused('empty');
  const name = plainName(said.name);
  for (const [mediaType, { format, endings }] of FORMATS) {
    if (!format.begins(file)) continue;
    const { width, height, bytes } = format.clean(file);
    if (width === 0 || height === 0) throw new FileRefused('broken');
    if (Math.max(width, height) > FILE_LIMITS.side || width * height > FILE_LIMITS.pixels)
      throw new FileRefused('pixels');
    return { mediaType, name: ending(name, endings), bytes, width, height, text: null };
  }
  if (PICTURES.test(name) || /^image\//i.test(said.type ?? '')) throw new FileRefused('type');
  const text = readText(file);
  return { mediaType: 'text/plain', name, bytes: Buffer.from(text), width: null, height: null, text };
}

/** One line without a path and without what nobody sees, of at most 120 characters. */
function plainName(name: string): string {
  const plain = name
    .toWellFormed()
    .normalize('NFC')
    .replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, '')
    .split(/[/\\]/)
    .at(-1)
    ?.replaceAll(/\s+/g, ' ')
    .trim();
  if (plain === undefined || /^\.*$/.test(plain)) return 'file';
  const characters = [...plain];
  return characters.length <= FILE_LIMITS.name ? plain : `…${characters.slice(1 - FILE_LIMITS.name).join('')}`;
}

function ending(name: string, endings: readonly string[]): string {
  const [own = ''] = endings;
  const now = /\.([a-z0-9]{1,5})$/i.exec(name)?.[1]?.toLowerCase();
  if (now !== undefined && endings.includes(now)) return name;
  return PICTURES.test(name) ? name.replace(PICTURES, `.${own}`) : `${name}.${own}`;
}
