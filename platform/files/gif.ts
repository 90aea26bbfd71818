import type { ImageFormat } from './image.ts';
import { assertWhole, FileRefused } from './refused.ts';

const [EXTENSION, IMAGE, TRAILER] = [0x21, 0x2c, 0x3b];
/** The extension that says which colour is none. */
const GRAPHIC_CONTROL = 0xf9;

/** A GIF is a screen with a table of colours, and blocks: pictures, and what is said of them. One picture is kept. */
export const gif: ImageFormat = {
  begins: (file) => /^GIF8[79]a$/.test(file.toString('latin1', 0, 6)),
  clean(file) {
    assertWhole(file.length >= 13);
    const [width, height] = [file.readUInt16LE(6), file.readUInt16LE(8)];
    let at = 13 + tableBytes(file[10] ?? 0);
    const kept = [file.subarray(0, at)];
    let control: Buffer | null = null;
    let frames = 0;
    for (;;) {
      assertWhole(at < file.length);
      const kind = file[at];
      if (kind === TRAILER) break;
      const begin = at;
      if (kind === EXTENSION) {
        at = endOfBlocks(file, at + 2);
        if (file[begin + 1] === GRAPHIC_CONTROL && frames === 0) control = file.subarray(begin, at);
        continue;
      }
      assertWhole(kind === IMAGE && at + 10 <= file.length);
      frames += 1;
      if (frames > 1) throw new FileRefused('animated');
      const [left, top] = [file.readUInt16LE(at + 1), file.readUInt16LE(at + 3)];
      const [across, down] = [file.readUInt16LE(at + 5), file.readUInt16LE(at + 7)];
      // A picture beyond its screen is what decoders grow the screen for.
      assertWhole(across > 0 && down > 0 && left + across <= width && top + down <= height);
      // The least code size stands between the colours and the pixels.
      at = endOfBlocks(file, at + 10 + tableBytes(file[at + 9] ?? 0) + 1);
      kept.push(...(control === null ? [] : [control]), file.subarray(begin, at));
    }
    assertWhole(frames === 1);
    return { width, height, bytes: Buffer.concat([...kept, Buffer.from([TRAILER])]) };
  },
};

/** The bytes of a table of colours, as the byte of flags before it says. */
function tableBytes(flags: number): number {
  return (flags & 0x80) === 0 ? 0 : 3 * 2 ** ((flags & 7) + 1);
}

/** Blocks have a byte of length each, and end with an empty one. */
function endOfBlocks(file: Buffer, from: number): number {
  for (let at = from; ;) {
    assertWhole(at < file.length);
    const length = file[at] ?? 0;
    at += 1 + length;
    if (length === 0) return at;
  }
}
