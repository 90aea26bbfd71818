import type { TurnEnding } from '../domain/turn.ts';
import type { Tx } from './database.ts';

const endings = new WeakMap<Tx, TurnEnding[]>();

/**
 * Said by whatever moves a turn to an ending; it is told when the transaction has committed, so no ending is counted
 * twice or for nothing.
 */
export function noteEnding(tx: Tx, ending: TurnEnding): void {
  endings.get(tx)?.push(ending);
}

/** Runs `work` and collects what it notes in `noted`. */
export function collectEndings<T>(tx: Tx, noted: TurnEnding[], work: (tx: Tx) => Promise<T>): Promise<T> {
  endings.set(tx, noted);
  return work(tx);
}
