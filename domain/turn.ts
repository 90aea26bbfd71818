import { isTurnFailure, TURN_FAILURES, type ErrorCode, type TurnFailureCode, type TurnRefusalCode } from './errors.ts';
import type { TurnInstructions } from './own-instructions.ts';
import type { Instant } from './period.ts';
import type { Warning } from './usage-state.ts';

export const TURN_STATES = ['accepted', 'running', 'completed', 'stopped', 'failed', 'refused'] as const;
export type TurnState = (typeof TURN_STATES)[number];

/** Legal steps. A trigger of the database refuses all others, whoever tries. */
export const TURN_STEPS = {
  accepted: ['running', 'completed', 'stopped', 'failed', 'refused'],
  running: ['running', 'accepted', 'completed', 'stopped', 'failed'],
  completed: [],
  stopped: [],
  failed: ['accepted'],
  refused: ['accepted'],
} as const satisfies Record<TurnState, readonly TurnState[]>;

export function isLive(state: TurnState): state is 'accepted' | 'running' {
  return state === 'accepted' || state === 'running';
}

/** An answered turn has cost what it costs and is never run again. */
export function isAnswered(state: TurnState): state is 'completed' | 'stopped' {
  return state === 'completed' || state === 'stopped';
}

/** Why a turn that had ended runs again. */
export type RunReason = 'send' | 'retry' | 'replay' | 'reset';

/**
 * A turn as PostgreSQL knows it. Instants are milliseconds; `content` is the stored answer, null until there is one.
 */
export interface TurnRecord {
  readonly turnId: string;
  readonly userId: number;
  readonly accountId: number;
  readonly conversationId: string;
  readonly sequence: number;
  readonly state: TurnState;
  readonly model: string;
  /** Ordinal of the newest attempt, 0 before the first. */
  readonly attempt: number;
  readonly content: string | null;
  /** Number of the last entry of the answering attempt's stream, null when unknown. */
  readonly streamEntries: number | null;
  readonly usage: TurnUsage | null;
  readonly warning: Warning | null;
  readonly finishReason: 'stop' | 'length' | null;
  readonly askedOutput: number | null;
  /** The output limit that the model was given, null before admission. */
  readonly outputLimit: number | null;
  readonly error: ErrorCode | null;
  readonly stopRequestedAt: Instant | null;
  /** Temporal's run that last held the turn or ended it; null before the first. */
  readonly runId: string | null;
  /** Why its present or last run was started. */
  readonly runReason: RunReason;
  readonly admittedAt: Instant | null;
  /** When an admin, or a reset in the Temporal UI, last ran it again after a failure. */
  readonly replayedAt: Instant | null;
  /** It came through the OpenAI door: a conversation of its own that no list shows, and it is never run again. */
  readonly isApi: boolean;
  /** The key of ours with which it was asked; null: a token of an issuer, or nobody knows. */
  readonly apiKeyId: number | null;
  /** Its person's own instructions when it was judged; null: there were none. */
  readonly instructions: TurnInstructions | null;
  readonly createdAt: Instant;
  readonly endedAt: Instant | null;
  /** When its person deleted the conversation: question and answer are gone, what it cost stays. */
  readonly erasedAt: Instant | null;
}

/** A turn that has ended, as metrics and the log count it. */
export type TurnEnding = TurnOutcome & {
  readonly turnId: string;
  readonly model: string;
  readonly debitedTokens: number;
};

/** `code` says why the turn failed or was refused. */
export type TurnOutcome =
  | { readonly outcome: 'completed' | 'stopped'; readonly code: null }
  | { readonly outcome: 'failed'; readonly code: TurnFailureCode }
  | { readonly outcome: 'refused'; readonly code: TurnRefusalCode };

export interface TurnUsage {
  readonly promptTokens: number;
  readonly completionTokens: number;
  readonly totalTokens: number;
  readonly debitedTokens: number;
  readonly estimated: boolean;
}

/** Whether a failed turn may be sent, retried or replayed with a hope of success. */
export function isRetryable(code: ErrorCode): boolean {
  return isTurnFailure(code) && TURN_FAILURES[code];
}
