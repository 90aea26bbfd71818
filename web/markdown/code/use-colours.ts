import { useEffect, useRef, useState } from 'react';
import { colour } from './colour.ts';
import type { Coloured } from './cut.ts';
import { piecesOf, type Piece } from './pieces.ts';

/** A piece's colours, and the text that has them: the piece may have grown since. */
export interface ColouredPiece {
  readonly text: string;
  readonly nodes: readonly Coloured[];
}

const NONE: readonly ColouredPiece[] = [];

/**
 * The colours of code, by its pieces. While it grows those of its finished pieces come, and once it is quiet all of
 * them: a whole is coloured, because only its beginning says where a comment ends. Each frame brings one piece at most.
 * @param language empty where the code stays plain.
 */
export function useColours(language: string, code: string, pieces: readonly Piece[]): readonly ColouredPiece[] {
  const [shown, setShown] = useState(NONE);
  const isQuiet = useQuiet(code);
  const wanted = isQuiet ? code : code.slice(0, code.length - (pieces.at(-1)?.text.length ?? 0));
  const newest = useRef<string | null>(null);
  const known = useRef<ColouredPiece[]>([]);
  useEffect(() => {
    // What was asked for before had these colours with it.
    if (language === '' || (newest.current ?? '').startsWith(wanted)) return;
    newest.current = wanted;
    void colour({ language, code: wanted }, () => newest.current === wanted).then((colours) => {
      if (colours === null || newest.current === null) return;
      for (const [i, { text }] of piecesOf(wanted).entries()) {
        const piece = { text, nodes: colours[i] ?? [] };
        if (isSame(piece, known.current[i])) continue;
        known.current[i] = piece;
        inAFrame(() => setShown((now) => [...now.slice(0, i), piece, ...now.slice(i + 1)]));
      }
    });
  }, [language, wanted]);
  useEffect(
    () => () => {
      newest.current = null;
    },
    [],
  );
  return shown;
}

const QUIET_MS = 150;

/** Whether the code has not changed for a while. */
function useQuiet(code: string): boolean {
  const [quiet, setQuiet] = useState<string | null>(null);
  useEffect(() => {
    const timer = setTimeout(() => setQuiet(code), QUIET_MS);
    return () => clearTimeout(timer);
  }, [code]);
  return quiet === code;
}

function isSame(piece: ColouredPiece, before: ColouredPiece | undefined): boolean {
  return piece.text === before?.text && JSON.stringify(piece.nodes) === JSON.stringify(before.nodes);
}

const waiting: (() => void)[] = [];
let isAwaited = false;

/** Does it in a frame of its own, after what else waits for one. */
function inAFrame(work: () => void): void {
  waiting.push(work);
  if (!isAwaited) requestAnimationFrame(doNext);
  isAwaited = true;
}

function doNext(): void {
  waiting.shift()?.();
  isAwaited = waiting.length > 0;
  if (isAwaited) requestAnimationFrame(doNext);
}
