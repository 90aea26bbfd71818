import type { TurnEvent } from '../../../domain/stream-events.ts';
import type { Schemas } from '../../api/schemas.ts';
import type { ApiError } from '../../api/api-error.ts';

export type Turn = Schemas['Turn'];

/** A turn whose question is asked anew: with the same text, or `edited`. */
export interface Instead {
  readonly turnId: string;
  /** What both follow; null: they are first questions. */
  readonly parentTurnId: string | null;
  readonly edited: boolean;
}

/** What this page knows of a turn that it watches. */
export interface LiveTurn {
  readonly turnId: string;
  /** Null for the first turn of a conversation, until the server has named it. */
  readonly conversationId: string | null;
  /** Null when the turn was found in the transcript, which has its question. */
  readonly question: string | null;
  /** What the question shows. */
  readonly files: readonly Schemas['ShownFile'][];
  /** The page wrote the question ("go on from where you stopped"): refused, it is no draft of the person's. */
  readonly canned: boolean;
  /** The turn in whose place the question is asked once more, or otherwise; null: it goes on from the end. */
  readonly instead: Instead | null;
  /** The branch that was shown when it was sent, as `branchOf` says it. */
  readonly branch: string | null;
  /** sending: not yet admitted · waiting: no text yet · answering · ended */
  readonly phase: 'sending' | 'waiting' | 'answering' | 'ended';
  readonly text: string;
  /** About how many tokens the text has; each delta adds its own. */
  readonly tokens: number;
  /**
   * The text belongs to an attempt that was given up. It stays until the next attempt has text, so that nothing
   * flickers.
   */
  readonly outdated: boolean;
  /** Whether a new attempt or a replay has begun. */
  readonly again: boolean;
  /** The last event's id, from which the stream resumes. */
  readonly lastEventId: string;
  readonly ending: Turn | null;
  /** False while a lost connection is being made again. */
  readonly connected: boolean;
  readonly stopping: boolean;
}

export function beginTurn(known: Pick<LiveTurn, 'turnId' | 'conversationId' | 'question' | 'phase'>): LiveTurn {
  return {
    files: [],
    canned: false,
    instead: null,
    branch: null,
    ...known,
    text: '',
    tokens: 0,
    outdated: false,
    again: false,
    lastEventId: '',
    ending: null,
    connected: true,
    stopping: false,
  };
}

export function advance(turn: LiveTurn, event: TurnEvent<Turn>): LiveTurn {
  const next = { ...turn, lastEventId: event.id, connected: true };
  switch (event.type) {
    case 'accepted':
      return {
        ...next,
        conversationId: event.data.conversationId,
        phase: turn.phase === 'sending' ? 'waiting' : turn.phase,
      };
    case 'delta':
      return {
        ...next,
        phase: 'answering',
        text: turn.outdated ? event.data.text : turn.text + event.data.text,
        tokens: (turn.outdated ? 0 : turn.tokens) + roughTokens(event.data.text),
        outdated: false,
        again: false,
      };
    case 'restarted':
      return { ...next, outdated: true, again: event.data.reason !== 'resync' };
    default:
      return {
        ...next,
        conversationId: event.data.turn.conversationId,
        phase: 'ended',
        ending: event.data.turn,
        // A failed turn has no text; what was read of it stays.
        text: event.data.turn.content ?? (event.type === 'failed' ? turn.text : ''),
        outdated: false,
        again: false,
      };
  }
}

/** Whether the error is temporary, so that the same request is made again after a while. Any other error is final. */
export function isPassing({ code, details }: ApiError, { admitted }: { admitted: boolean }): boolean {
  if (code === 'offline') return true;
  if (code === 'unavailable') return admitted || details['bound'] === true;
  return admitted && (code === 'rate_limited' || code === 'internal' || code === 'overloaded');
}

/**
 * Roughly how many tokens a text has, not in whole ones, for a meter that moves while an answer streams. The end of the
 * answer brings the exact number.
 */
export function roughTokens(text: string): number {
  // o200k_base: Korean, Chinese and Japanese take 0.6 to 0.8 tokens a character, Latin text about 0.25.
  let tokens = 0;
  for (const character of text) tokens += character > '\u10ff' ? 0.7 : 0.26;
  return tokens;
}
