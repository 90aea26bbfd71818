import type { TurnRecord, TurnState } from './turn.ts';

/** What a send with a known id does (policy 7, first column). */
export type SendDecision =
  /** The turn is admitted and alive: its stream is read from the start. */
  | 'join'
  /** The turn has ended: the stored answer or failure is sent, without a model call. */
  | 'stored'
  /** The turn was refused, so nothing is bound: it is judged anew, with whatever body comes now. */
  | 'judge_anew'
  /** The key is bound to another body. */
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

/** A turn that an unclear start has bound has a row and perhaps no workflow. Starting a turn that runs is harmless. */
export function mayNeedStart(
  decision: SendDecision | 'new',
  { state, admittedAt }: Pick<TurnRecord, 'state' | 'admittedAt'>,
): boolean {
  return (
    decision === 'new' ||
    decision === 'judge_anew' ||
    (decision === 'join' && state === 'accepted' && admittedAt === null)
  );
}

/**
 * Whether the person's retry or an admin's replay may run the turn (policy 7, second and third column). A refused turn
 * cannot be replayed.
 */
export function mayRunAgain(state: TurnState, by: 'retry' | 'replay'): boolean {
  return state === 'failed' || (state === 'refused' && by === 'retry');
}

/**
 * Whether a retry joins the turn: it was accepted and nobody has asked for its hold, so that perhaps nothing runs. What
 * accepted it may have been a press whose answer was lost.
 */
export function mayJoin(
  { state, admittedAt }: Pick<TurnRecord, 'state' | 'admittedAt'>,
  by: 'retry' | 'replay',
): boolean {
  return by === 'retry' && state === 'accepted' && admittedAt === null;
}
