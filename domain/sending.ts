import type { TurnState } from './turn.ts';

/** What a send with a known id does (policy 7, first column). */
export type SendDecision =
  /** Admitted and alive: read its stream from the start. */
  | 'join'
  /** Ended: the stored answer or failure, no model call. */
  | 'stored'
  /** Refused, so nothing was bound: judged anew, with whatever body comes now. */
  | 'judge_anew'
  /** Bound to another body. */
  | 'conflict';

const SAME_BODY = {
  accepted: 'join',
  running: 'join',
  completed: 'stored',
  stopped: 'stored',
  failed: 'stored',
  refused: 'judge_anew',
} as const satisfies Record<TurnState, SendDecision>;

export function decideSendAgain(state: TurnState, sameBody: boolean): SendDecision {
  const decision = SAME_BODY[state];
  return sameBody || decision === 'judge_anew' ? decision : 'conflict';
}

/**
 * Whether the person's retry or an admin's replay may run the turn (second and third column). A refused turn has no
 * replay.
 */
export function mayRunAgain(state: TurnState, by: 'retry' | 'replay'): boolean {
  return state === 'failed' || (state === 'refused' && by === 'retry');
}
