import { crc32 } from 'node:zlib';
import type { ImageFormat } from './image.ts';
import { assertWhole, FileRefused, MOST_PARTS } from './refused.ts';

const SIGNATURE = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
/** What pixels and their colours need. Text, times, places, profiles and other people's chunks are left out. */
const KEPT = new Set(['IHDR', 'PLTE', 'IDAT', 'IEND', 'tRNS', 'gAMA', 'cHRM', 'sRGB', 'sBIT', 'bKGD', 'pHYs']);
/** Length, type and check sum around the bytes of a chunk. */
const AROUND = 12;
const HEADER_BYTES = 13;

/** A PNG is a signature and chunks, each with its length and a check sum. */
export const png: ImageFormat = {
  begins: (file) => file.subarray(0, SIGNATURE.length).equals(SIGNATURE),
  clean(file) {
    const kept: Buffer[] = [SIGNATURE];
    let header: Buffer | null = null;
    let hasPixels = false;
    for (let at = SIGNATURE.length, parts = 0; ; parts += 1) {
      assertWhole(at + AROUND <= file.length && parts < MOST_PARTS);
      const length = file.readUInt32BE(at);
      const end = at + AROUND + length;
      assertWhole(end <= file.length);
      const type = file.toString('latin1', at + 4, at + 8);
      const body = file.subarray(at + 8, end - 4);
      assertWhole(crc32(file.subarray(at + 4, end - 4)) === file.readUInt32BE(end - 4));
      assertWhole((type === 'IHDR') === (header === null));
      if (type === 'IHDR') header = body;
      if (type === 'acTL') throw new FileRefused('animated');
      hasPixels ||= type === 'IDAT' && length > 0;
      if (KEPT.has(type)) kept.push(file.subarray(at, end));
      if (type === 'IEND') break;
      at = end;
    }
    assertWhole(header?.length === HEADER_BYTES && hasPixels);
    return { width: header.readUInt32BE(0), height: header.readUInt32BE(4), bytes: Buffer.concat(kept) };
  },
};
