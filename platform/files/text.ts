import { isUtf8 } from 'node:buffer';
import { FILE_LIMITS } from '../../domain/files/file.ts';
import { hasHeapOfMarks, isBlank, isLongerThan } from '../../domain/text.ts';
import { FileRefused } from './refused.ts';

/** What no text has: control characters but those of layout. */
const CONTROL = /[^\P{Cc}\t\n\f\r]/u;
/** Documents that begin with letters, and are no text. */
const NOT_TEXT = /^(%PDF-|%!PS|\{\\rtf)/;
/** The longest that 100,000 characters can be, in any of the encodings. */
const MOST_BYTES = 4 * FILE_LIMITS.characters + 4;

/**
 * A text in UTF-8, UTF-16 with its mark, or the CP949 of a Korean Windows, as NFC. @throws FileRefused: it is none, or
 * has more than 100,000 characters.
 */
export function readText(file: Buffer): string {
  const encoding = encodingOf(file);
  if (file.length > MOST_BYTES) throw new FileRefused(encoding === 'euc-kr' ? 'type' : 'text');
  const decoded = decode(file, encoding);
  if (NOT_TEXT.test(decoded) || CONTROL.test(decoded) || hasHeapOfMarks(decoded) || isDrawing(decoded))
    throw new FileRefused('type');
  if (isBlank(decoded)) throw new FileRefused('empty');
  const text = decoded.normalize('NFC');
  if (isLongerThan(text, FILE_LIMITS.characters)) throw new FileRefused('text');
  return text;
}

/** Whether its first element is an SVG’s, whatever is declared and said before it. */
function isDrawing(text: string): boolean {
  const begin = text.slice(0, 4_096).trimStart();
  return begin.startsWith('<') && /<([a-z][\w.-]*:)?svg[\s>]/i.test(begin) && !/<html[\s>]/i.test(begin);
}

function decode(file: Buffer, encoding: string): string {
  try {
    return new TextDecoder(encoding, { fatal: true }).decode(file);
  } catch (cause) {
    throw new FileRefused('type', { cause });
  }
}

function encodingOf(file: Buffer): string {
  if (file[0] === 0xff && file[1] === 0xfe) return 'utf-16le';
  if (file[0] === 0xfe && file[1] === 0xff) return 'utf-16be';
  return isUtf8(file) ? 'utf-8' : 'euc-kr';
}
