import type { ImageFormat } from './image.ts';
import { orientationIn, orientationSegment } from './orientation.ts';
import { assertWhole, FileRefused, MOST_PARTS } from './refused.ts';

const MARK = 0xff;
const [SOI, EOI, SOS, APP0, APP1, APP14] = [0xd8, 0xd9, 0xda, 0xe0, 0xe1, 0xee];
/** Baseline, extended and progressive frames. Others (lossless, arithmetic) no provider reads. */
const FRAMES = new Set([0xc0, 0xc1, 0xc2]);
const OTHER_FRAMES = new Set([0xc3, 0xc5, 0xc6, 0xc7, 0xc9, 0xca, 0xcb, 0xcd, 0xce, 0xcf]);
/** Huffman tables, quantisation tables, restart interval. */
const TABLES = new Set([0xc4, 0xdb, 0xdd]);
/** A header of JFIF without a thumbnail has so many bytes after its marker, Adobe's word on colours so many. */
const [JFIF_BYTES, ADOBE_BYTES] = [16, 14];

/**
 * A JPEG is segments with a marker each, and after a `SOS` the coded pixels up to the next marker. Of its metadata it
 * keeps how the picture is to be turned, because a phone lays its photos down sideways.
 */
export const jpeg: ImageFormat = {
  begins: (file) => file[0] === MARK && file[1] === SOI && file[2] === MARK,
  clean(file) {
    const kept: Buffer[] = [];
    let frame: Buffer | null = null;
    let orientation: number | null = null;
    let hasPixels = false;
    for (let at = 2, parts = 0; ; parts += 1) {
      assertWhole(file[at] === MARK && parts < MOST_PARTS);
      while (file[at + 1] === MARK) at += 1;
      const marker = file[at + 1] ?? 0;
      if (marker === EOI) break;
      assertWhole(at + 4 <= file.length && marker >= 0xc0 && !isRestart(marker) && marker !== SOI);
      const length = file.readUInt16BE(at + 2);
      let end = at + 2 + length;
      assertWhole(length >= 2 && end <= file.length && !OTHER_FRAMES.has(marker));
      const body = file.subarray(at + 4, end);
      if (FRAMES.has(marker)) {
        assertWhole(frame === null && body.length >= 6);
        frame = body;
      }
      if (marker === SOS) {
        assertWhole(frame !== null);
        const begin = end;
        end = endOfPixels(file, begin);
        hasPixels ||= end > begin;
      }
      if (marker === APP1) orientation ??= orientationIn(body);
      if (isKept(marker, length, body)) kept.push(file.subarray(at, end));
      at = end;
    }
    assertWhole(frame !== null && hasPixels);
    const turned = orientation === null || orientation === 1 ? [] : [orientationSegment(orientation)];
    return {
      width: frame.readUInt16BE(3),
      height: frame.readUInt16BE(1),
      bytes: Buffer.concat([Buffer.from([MARK, SOI]), ...turned, ...kept, Buffer.from([MARK, EOI])]),
    };
  },
};

function isKept(marker: number, length: number, body: Buffer): boolean {
  if (marker === APP0) return length === JFIF_BYTES && body.subarray(0, 5).toString('latin1') === 'JFIF\0';
  if (marker === APP14) return length === ADOBE_BYTES && body.subarray(0, 5).toString('latin1') === 'Adobe';
  return FRAMES.has(marker) || TABLES.has(marker) || marker === SOS;
}

function isRestart(marker: number): boolean {
  return marker >= 0xd0 && marker <= 0xd7;
}

/** Within pixels a `ff` is followed by `00`, or by the marker of a restart. @throws FileRefused: they never end. */
function endOfPixels(file: Buffer, from: number): number {
  // Byte by byte, because pixels may be all `ff`: a search for each of them would take a quarter of a second.
  for (let at = from; at + 1 < file.length; at += 1) {
    if (file[at] !== MARK) continue;
    const next = file[at + 1] ?? 0;
    if (next !== 0 && next !== MARK && !isRestart(next)) return at;
  }
  throw new FileRefused('broken');
}
