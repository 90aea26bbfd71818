import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { FILE_LIMITS, type FileRefusal } from '../../domain/files/file.ts';
import { orientationIn } from '../../platform/files/orientation.ts';
import { readFile } from '../../platform/files/read-file.ts';
import { FileRefused } from '../../platform/files/refused.ts';
import { chunk, gifOfFrames, PICTURES, pngOf, pngThatClaims, SECRET } from '../support/pictures.ts';

const read = (bytes: Buffer, name = 'photo', type?: string) => readFile(bytes, { name, type });

/** Why a file is not taken; null when it is. */
function refusalOf(bytes: Buffer, name?: string, type?: string): FileRefusal | null {
  try {
    read(bytes, name, type);
    return null;
  } catch (error) {
    if (!(error instanceof FileRefused)) throw error;
    return error.reason;
  }
}

const APP1 = 0xe1;
/** The bodies of a JPEG's EXIF segments. */
function exifOf(jpeg: Buffer): Buffer[] {
  const found: Buffer[] = [];
  for (let at = 2; jpeg[at + 1] !== 0xda; at += 2 + jpeg.readUInt16BE(at + 2))
    if (jpeg[at + 1] === APP1) found.push(jpeg.subarray(at + 4, at + 2 + jpeg.readUInt16BE(at + 2)));
  return found;
}

describe('a picture', () => {
  test('is known by its bytes, whatever it is called, and its size is read from its header', () => {
    const seen = Object.entries({ ...PICTURES, png: pngOf(7, 5) })
      .filter(([kind]) => !/^(animated|apng)/.test(kind))
      .map(([kind, bytes]) => {
        const { mediaType, name, width, height } = read(bytes, 'bill.png', 'image/heic');
        return [kind, mediaType, name, width, height];
      });
    expect(seen).toEqual([
      ['jpeg', 'image/jpeg', 'bill.jpg', 48, 32],
      ['progressive', 'image/jpeg', 'bill.jpg', 48, 32],
      ['lossyWebp', 'image/webp', 'bill.webp', 40, 24],
      ['losslessWebp', 'image/webp', 'bill.webp', 8, 6],
      ['alphaWebp', 'image/webp', 'bill.webp', 8, 6],
      ['gif', 'image/gif', 'bill.gif', 20, 10],
      ['png', 'image/png', 'bill.png', 7, 5],
    ]);
  });

  test('keeps nothing of where, when and with what it was taken, and still says how it is turned', () => {
    const gps = Buffer.from([0x88, 0x25]);
    expect([PICTURES.jpeg.includes(SECRET), exifOf(PICTURES.jpeg)[0]?.includes(gps)]).toEqual([true, true]);
    const { bytes } = read(PICTURES.jpeg);
    const [exif, ...more] = exifOf(bytes);
    expect([orientationIn(exif ?? Buffer.alloc(0)), exif?.length, more, exif?.includes(gps)]).toEqual([
      6,
      32,
      [],
      false,
    ]);
    const text = chunk('tEXt', Buffer.from(`Comment\0${SECRET}`));
    const place = chunk('eXIf', Buffer.from(SECRET));
    for (const picture of [...Object.values(PICTURES).slice(0, 5), PICTURES.gif, pngOf(3, 3, [text, place])]) {
      const clean = read(picture).bytes;
      for (const word of [SECRET, 'Maker', 'EXIF', 'XMP ', 'tEXt']) expect(clean.includes(word)).toBe(false);
      // What is clean is left as it is: nothing else was taken away.
      expect(read(clean).bytes.equals(clean)).toBe(true);
    }
    expect(read(pngOf(3, 3, [text])).bytes.equals(pngOf(3, 3))).toBe(true);
  });

  test('loses what follows its end: a page, an archive or a script in the same file is not kept', () => {
    const other = Buffer.from('<html><script>alert(1)</script></html>PK\x03\x04');
    for (const picture of [PICTURES.jpeg, PICTURES.lossyWebp, PICTURES.gif, pngOf(3, 3)]) {
      const polyglot = read(Buffer.concat([picture, other]));
      expect(polyglot.bytes.equals(read(picture).bytes)).toBe(true);
    }
    // A comment within is the other place for one.
    expect(
      read(Buffer.concat([PICTURES.jpeg.subarray(0, 2), comment(other), PICTURES.jpeg.subarray(2)])).bytes,
    ).toEqual(read(PICTURES.jpeg).bytes);
  });

  test('is refused with the reason: too many pixels, moving, cut off, or not what it begins as', () => {
    const cut = (bytes: Buffer, part: number) => bytes.subarray(0, Math.floor(bytes.length * part));
    const flipped = Buffer.from(pngOf(3, 3));
    flipped[20] = 0xff;
    const empty = Array.from({ length: 20_000 }, () => chunk('IDAT'));
    const twice = Buffer.concat([PICTURES.jpeg.subarray(0, -2), frame(9_000, 9_000), PICTURES.jpeg.subarray(-2)]);
    const files: readonly (readonly [string, Buffer, FileRefusal | null])[] = [
      ['a PNG of 100,000 × 100,000', pngThatClaims(100_000, 100_000), 'pixels'],
      ['a long PNG', pngThatClaims(FILE_LIMITS.side + 1, 1), 'pixels'],
      ['a little more than 50 megapixels', pngThatClaims(10_000, 5_001), 'pixels'],
      ['50 megapixels', pngThatClaims(10_000, 5_000), null],
      ['no pixels', pngThatClaims(0, 5), 'broken'],
      ['one picture', gifOfFrames(1), null],
      ['two pictures', gifOfFrames(2), 'animated'],
      ['10,000 pictures', gifOfFrames(10_000), 'animated'],
      ['a moving GIF', PICTURES.animatedGif, 'animated'],
      ['a moving WebP', PICTURES.animatedWebp, 'animated'],
      ['a moving PNG', PICTURES.apng, 'animated'],
      ['a cut JPEG', cut(PICTURES.jpeg, 0.8), 'broken'],
      ['a cut progressive JPEG', cut(PICTURES.progressive, 0.9), 'broken'],
      ['a cut WebP', cut(PICTURES.lossyWebp, 0.8), 'broken'],
      ['a cut GIF', cut(PICTURES.gif, 0.8), 'broken'],
      ['a cut PNG', cut(pngOf(9, 9), 0.8), 'broken'],
      ['a wrong check sum', flipped, 'broken'],
      ['two headers of a frame', twice, 'broken'],
      ['a script that begins as a GIF', Buffer.from('GIF89a/*<html>*/=1;'), 'broken'],
      ['an empty WebP', Buffer.from('RIFF\x04\0\0\0WEBP', 'latin1'), 'broken'],
      ['20,000 empty chunks', Buffer.concat([pngOf(1, 1).subarray(0, 33), ...empty]), 'broken'],
    ];
    expect(files.map(([what, bytes]) => [what, refusalOf(bytes)])).toEqual(
      files.map(([what, , reason]) => [what, reason]),
    );
  });

  test('whatever bytes come, it is read or refused, never anything else', () => {
    const begins = [
      PICTURES.jpeg,
      PICTURES.progressive,
      PICTURES.lossyWebp,
      PICTURES.alphaWebp,
      PICTURES.gif,
      pngOf(9, 9),
    ];
    fc.assert(
      fc.property(
        fc.constantFrom(...begins),
        fc.array(fc.tuple(fc.double({ min: 0, max: 0.999, noNaN: true }), fc.integer({ min: 0, max: 255 })), {
          maxLength: 8,
        }),
        fc.double({ min: 0.05, max: 1, noNaN: true }),
        (picture, changes, part) => {
          const bytes = Buffer.from(picture.subarray(0, Math.ceil(picture.length * part)));
          for (const [place, value] of changes) bytes[Math.floor(place * bytes.length)] = value;
          refusalOf(bytes);
        },
      ),
      { numRuns: 2_000 },
    );
  });
});

describe('a text', () => {
  test('is read in UTF-8, UTF-16 and the CP949 of a Korean Windows, and kept as NFC in UTF-8', () => {
    const cp949 = Buffer.from([0xb0, 0xed, 0xc1, 0xf6, 0xbc, 0xad]);
    const utf16 = Buffer.concat([Buffer.from([0xff, 0xfe]), Buffer.from('고지서', 'utf16le')]);
    for (const bytes of [cp949, utf16, Buffer.from('\ufeff고지서'), Buffer.from('고지서'.normalize('NFD'))]) {
      const { text, mediaType, width, bytes: kept } = read(bytes, '메모.txt');
      expect([text, mediaType, width, kept.toString()]).toEqual(['고지서', 'text/plain', null, '고지서']);
    }
  });

  test('is refused where it is a drawing, a document, a binary, too long, or would take seconds to read', () => {
    const begun = process.threadCpuUsage();
    expect(
      [
        Buffer.from('<svg xmlns="http://www.w3.org/2000/svg"><script>1</script></svg>'),
        Buffer.from(`<?xml version="1.0"?>${'<!-- x -->'.repeat(300)}<!DOCTYPE svg><svg:svg >`),
        Buffer.from('%PDF-1.7 text'),
        Buffer.from([0x50, 0x4b, 3, 4, 0, 0]),
        Buffer.from('a\0b'),
        Buffer.from(' \u200b\n'),
        Buffer.alloc(0),
        Buffer.alloc(5 * 1_024 * 1_024, 'a'),
        Buffer.from('a'.repeat(100_001)),
        Buffer.from('\u0301\u0327'.repeat(50_000)),
      ].map((bytes) => refusalOf(bytes, 'notes.txt')),
    ).toEqual(['type', 'type', 'type', 'type', 'type', 'empty', 'empty', 'text', 'text', 'type']);
    expect(refusalOf(Buffer.from('a'.repeat(100_000)), 'notes.txt')).toBeNull();
    const { user, system } = process.threadCpuUsage(begun);
    expect(user + system).toBeLessThan(2_000_000);
  });

  test('is refused where its name or its sender says that it is a picture', () => {
    const text = Buffer.from('only words');
    expect([
      refusalOf(text, 'photo.jpg'),
      refusalOf(text, 'drawing.svg'),
      refusalOf(text, 'notes.log', 'image/png'),
      refusalOf(text, 'notes.log', 'text/markdown'),
    ]).toEqual(['type', 'type', 'type', null]);
  });
});

test('a name is one line without a path, and ends as its file is', () => {
  const names = [
    '../../etc/passwd',
    'C:\\temp\\a.png',
    'a\r\nb\u202e.png',
    '...',
    '',
    '사진'.normalize('NFD'),
    'x'.repeat(300),
  ];
  expect(names.map((name) => read(pngOf(1, 1), name).name)).toEqual([
    'passwd.png',
    'a.png',
    'ab.png',
    'file.png',
    'file.png',
    '사진.png',
    `…${'x'.repeat(119)}.png`,
  ]);
});

/** A JPEG's comment. */
function comment(body: Buffer): Buffer {
  const head = Buffer.from([0xff, 0xfe, 0, 0]);
  head.writeUInt16BE(body.length + 2, 2);
  return Buffer.concat([head, body]);
}

/** The header of a frame. */
function frame(width: number, height: number): Buffer {
  const bytes = Buffer.from([0xff, 0xc0, 0, 11, 8, 0, 0, 0, 0, 1, 1, 0x11, 0]);
  bytes.writeUInt16BE(height, 5);
  bytes.writeUInt16BE(width, 7);
  return bytes;
}
