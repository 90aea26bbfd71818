import { isBlank, VISIBLE } from './text.ts';

/** The most code points of a title that is taken from a question, with the sign that it was cut. */
const MOST_TITLE = 40;
/** Stands where a title was cut, unless a sentence ends there. */
const CUT = '…';
const ENDED = /[.!?。！？…]$/u;
/** A title that has to be cut ends with a whole word, if so many code points are left of it. */
const LEAST_TITLE = 20;
/** What people take for one character: a syllable of several letters, an emoji of several code points. */
const CHARACTERS = new Intl.Segmenter('und', { granularity: 'grapheme' });

/** Blocks of code, closed or not. */
const CODE = /(^|\n)[ \t]*(```|~~~)[^\n]*(?:\n(?![ \t]*\2)[^\n]*)*(?:\n[ \t]*\2[^\n]*|$)/g;
/** The signs of Markdown, each with what stays of it. */
const SIGNS: readonly (readonly [RegExp, string])[] = [
  [/^[ \t]*(?:#{1,6}|>+|[-*+]|\d{1,3}[.)])[ \t]+/gm, ''],
  [/^[ \t]*(?:[-*_=] ?){3,}[ \t]*$/gm, ''],
  [/!?\[([^[\]\n]{1,500})\]\([^()\s]{0,2000}\)/g, '$1'],
  [/\*\*|__|~~|`+/g, ''],
];
/**
 * A greeting before the question. A short one needs a sign behind it: "hello world" and "안녕 뜻" are questions. What
 * may follow it is told by the whole word alone.
 */
const GREETING =
  /^(?:안녕하(?:세요|십니까)(?![가-힣])[\s,.!~…^]*|(?:안녕|반가워요|반갑습니다|hi|hello|hey|good (?:morning|afternoon|evening))(?: there)?\s*[,.!~…]+\s*)+/iu;

/**
 * The title of a conversation without one: its first question in one line, without blocks of code, signs of Markdown
 * and greetings, if anything is left. It has at most 40 code points, begins with the first character that is seen, and
 * is cut between words, never within what people take for one character, with "…" where it was.
 */
export function titleOf(question: string): string {
  const inOneLine = (text: string) => text.replaceAll(/\s+/gu, ' ').trim();
  const plain = inOneLine(
    SIGNS.reduce((text, [sign, stays]) => text.replaceAll(sign, stays), question.replaceAll(CODE, '$1')),
  );
  const asked = plain.replace(GREETING, '');
  return cut([asked, plain, inOneLine(question)].find((text) => !isBlank(text)) ?? question);
}

function cut(text: string): string {
  const seen = Math.max(0, text.search(VISIBLE));
  const from = CHARACTERS.segment(text).containing(seen)?.index ?? 0;
  // No code point has more than two UTF-16 units, so what follows cannot be part of the title.
  const start = text.slice(from, from + 4 * MOST_TITLE);
  const whole = beginningOf(start, MOST_TITLE);
  if (whole.next === null) return whole.kept;
  const { kept, next } = beginningOf(start, MOST_TITLE - CUT.length);
  if (kept === '') return `${[...(next ?? '')].slice(0, MOST_TITLE - CUT.length).join('')}${CUT}`;
  const words = wholeWords(kept, next ?? '');
  return ENDED.test(words) ? words : `${words}${CUT}`;
}

/** As many characters as have no more code points than that, and the one that follows them. */
function beginningOf(text: string, most: number): { readonly kept: string; readonly next: string | null } {
  let kept = '';
  let left = most;
  for (const { segment } of CHARACTERS.segment(text)) {
    left -= [...segment].length;
    if (left < 0) return { kept, next: segment };
    kept += segment;
  }
  return { kept, next: null };
}

/** @param next what follows the title in the question. */
function wholeWords(title: string, next: string): string {
  const end = next === ' ' ? title.length : title.lastIndexOf(' ');
  const words = end < 0 ? title : title.slice(0, end).replace(/[\s,;:·-]+$/u, '');
  return [...words].length < LEAST_TITLE ? title.trimEnd() : words;
}
