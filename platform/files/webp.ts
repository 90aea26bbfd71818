import type { Size } from '../../domain/files/vision.ts';
import type { ImageFormat } from './image.ts';
import { assertWhole, FileRefused } from './refused.ts';

/** Pixels, and how much of each is seen through. Profiles, EXIF and XMP are left out. */
const KEPT = new Set(['VP8X', 'ALPH', 'VP8 ', 'VP8L']);
const [ANIMATED, ALPHA] = [0x02, 0x10];

/** A WebP is a RIFF of chunks, each with its length. */
export const webp: ImageFormat = {
  begins: (file) => file.toString('latin1', 0, 4) === 'RIFF' && file.toString('latin1', 8, 12) === 'WEBP',
  clean(file) {
    assertWhole(file.length >= 20);
    const end = 8 + file.readUInt32LE(4);
    assertWhole(end <= file.length);
    const kept: Buffer[] = [];
    let canvas: Size | null = null;
    let picture: Size | null = null;
    let hasAlpha = false;
    for (let at = 12; at + 8 <= end;) {
      const type = file.toString('latin1', at, at + 4);
      const length = file.readUInt32LE(at + 4);
      const next = at + 8 + length + (length % 2);
      assertWhole(at + 8 + length <= end);
      const body = file.subarray(at + 8, at + 8 + length);
      if (type === 'ANIM' || type === 'ANMF') throw new FileRefused('animated');
      if (type === 'VP8X') {
        assertWhole(canvas === null && picture === null && length === 10);
        canvas = { width: 1 + body.readUIntLE(4, 3), height: 1 + body.readUIntLE(7, 3) };
        if (((body[0] ?? 0) & ANIMATED) !== 0) throw new FileRefused('animated');
        kept.push(chunk(type, Buffer.concat([Buffer.from([(body[0] ?? 0) & ALPHA]), body.subarray(1)])));
      } else if (KEPT.has(type)) {
        assertWhole(picture === null && (type !== 'ALPH' || (canvas !== null && !hasAlpha)));
        hasAlpha ||= type === 'ALPH';
        if (type !== 'ALPH') {
          picture = type === 'VP8 ' ? sizeOfLossy(body) : sizeOfLossless(body);
        }
        kept.push(chunk(type, body));
      }
      at = next;
    }
    assertWhole(picture !== null);
    assertWhole(canvas === null || (canvas.width === picture.width && canvas.height === picture.height));
    const chunks = Buffer.concat(kept);
    const head = Buffer.from('RIFF\0\0\0\0WEBP', 'latin1');
    head.writeUInt32LE(4 + chunks.length, 4);
    return { ...picture, bytes: Buffer.concat([head, chunks]) };
  },
};

function chunk(type: string, body: Buffer): Buffer {
  const head = Buffer.alloc(8);
  head.write(type, 'latin1');
  head.writeUInt32LE(body.length, 4);
  return Buffer.concat([head, body, Buffer.alloc(body.length % 2)]);
}

/** A key frame of VP8: three bytes of flags, a start code, and 14 bits of each side. */
function sizeOfLossy(body: Buffer): Size {
  assertWhole(body.length > 10 && body.readUIntBE(3, 3) === 0x9d012a && ((body[0] ?? 1) & 1) === 0);
  return { width: body.readUInt16LE(6) & 0x3fff, height: body.readUInt16LE(8) & 0x3fff };
}

function sizeOfLossless(body: Buffer): Size {
  assertWhole(body.length > 5 && body[0] === 0x2f);
  const bits = body.readUInt32LE(1);
  return { width: 1 + (bits & 0x3fff), height: 1 + ((bits >>> 14) & 0x3fff) };
}
