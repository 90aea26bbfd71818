import type { TurnFailureCode } from '../../domain/errors.ts';
import type { ScheduleKind } from '../../domain/schedules.ts';

/** Ids only: no chat text, e-mail or secret ever reaches Temporal. */
export interface ChatTurnInput {
  readonly turnId: string;
  readonly userId: number;
}

export interface ChatTurnResult {
  readonly state: 'completed' | 'stopped' | 'refused';
}

/**
 * An answer that PostgreSQL has stored, as settle books it. It holds numbers only: the text stays in PostgreSQL (G9:
 * input, never re-read).
 */
export interface StoredAnswer {
  readonly attempt: number;
  readonly outcome: 'completed' | 'stopped';
  readonly promptTokens: number;
  readonly cachedTokens: number;
  readonly completionTokens: number;
  /** The provider sent no usage, so we counted. The figure is capped at the hold. */
  readonly estimated: boolean;
}

/** How a turn that may not run is over. `completed` and `stopped` are earlier endings, and nothing is charged again. */
export type Ended =
  | { readonly kind: 'ended'; readonly state: 'completed' | 'stopped' | 'refused' }
  | { readonly kind: 'failed'; readonly code: TurnFailureCode };

export type Reserved =
  | { readonly kind: 'held'; readonly holdId: string; readonly outputLimit: number; readonly model: string }
  | { readonly kind: 'answered'; readonly answer: StoredAnswer }
  | Ended;

export type Generated = { readonly kind: 'answered'; readonly answer: StoredAnswer } | Ended;

export type Released = { readonly kind: 'answered'; readonly answer: StoredAnswer } | Ended;

/** Why a turn is released: it failed with a code, or the person or a cancel stopped it before there was an answer. */
export type ReleaseReason = { readonly as: 'failed'; readonly code: TurnFailureCode } | { readonly as: 'stopped' };

/** The activities that a turn needs. Each is safe to run twice. */
export interface TurnActivities {
  /**
   * Admission and hold in one transaction, idempotent by (turn, run). `cancelled`: the workflow was cancelled before it
   * began. `isReset`: an admin reset the turn's workflow, and this is the run that came of it.
   */
  reserveTurn(input: { turnId: string; cancelled: boolean; isReset: boolean }): Promise<Reserved>;
  /**
   * Calls the model once: opens an attempt, streams, stores the answer.
   * @throws ApplicationFailure typed by `TURN_FAILURE_TYPES`.
   */
  generate(input: { turnId: string }): Promise<Generated>;
  /**
   * Books the answer once: debit, hold settled, turn final. `arm`: the schedules that the account needs now and does
   * not have.
   */
  settleTurn(input: {
    turnId: string;
    answer: StoredAnswer;
  }): Promise<{ state: 'completed' | 'stopped'; arm?: readonly ScheduleKind[] }>;
  /**
   * Ends the turn without an answer: the hold is released and nothing is charged. A stored answer that it finds is
   * returned, to be settled instead.
   */
  releaseTurn(input: { turnId: string; reason: ReleaseReason }): Promise<Released>;
}

/** The failure type that admins see and query in the Temporal UI, by error code. */
export const TURN_FAILURE_TYPES = {
  model_unavailable: 'LlmUnavailable',
  model_rate_limited: 'LlmRateLimited',
  model_timeout: 'LlmTimeout',
  model_rejected: 'LlmRejected',
  content_filtered: 'LlmContentFiltered',
  context_length: 'LlmContextLength',
  interrupted: 'TurnInterrupted',
  TOKEN_EXHAUSTED: 'TokenExhausted',
  KEY_CAP_REACHED: 'KeyCapReached',
  conversation_busy: 'ConversationBusy',
  account_suspended: 'AccountSuspended',
} as const satisfies Record<TurnFailureCode, string>;
