/** A piece of code that is laid out by itself, so that a line that is added does not lay out all others anew. */
export interface Piece {
  readonly text: string;
  /** Whether it is part of a line. */
  readonly within: boolean;
}

const LINES = 40;
const LONGEST_LINE = 4_000;

/** Only the last piece changes while code grows. */
export function piecesOf(code: string): Piece[] {
  const pieces: Piece[] = [];
  let [from, lines] = [0, 0];
  const cut = (to: number) => {
    if (to > from) pieces.push({ text: code.slice(from, to), within: false });
    [from, lines] = [to, 0];
  };
  for (let at = 0; at < code.length;) {
    const newline = code.indexOf('\n', at);
    const end = newline === -1 ? code.length : newline + 1;
    if (end - at > LONGEST_LINE) {
      cut(at);
      for (; from < end; from += LONGEST_LINE)
        pieces.push({ text: code.slice(from, Math.min(from + LONGEST_LINE, end)), within: true });
      from = end;
    } else if ((lines += 1) >= LINES) cut(end);
    at = end;
  }
  cut(code.length);
  return pieces;
}
