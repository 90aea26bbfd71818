import { adoptAttempt, openAttempt } from '../db/turns/attempts.ts';
import type { Generated, TurnActivities } from '../workflows/contract/turn.ts';
import { callModel } from './call-model.ts';
import type { ActivityDeps } from './deps.ts';
import { heartbeating } from './heartbeat.ts';
import { openInterruption } from './interruption.ts';
import { retryWhileAway } from './retry-while-away.ts';
import { RunningCall, type Call } from './running-call.ts';
import { announceOwner, attemptContext, superseded } from './turn-context.ts';

/** Calls the model once for a turn and streams to its readers. The answer is in PostgreSQL before this returns. */
export function createGenerate(deps: ActivityDeps): TurnActivities['generate'] {
  /** Of this process, by turn. */
  const calls = new Map<string, RunningCall>();
  return ({ turnId }) =>
    heartbeating(async () => {
      const running = calls.get(turnId);
      if (running !== undefined && (await adopt(deps, running.call))) return running.attend();
      const opened = await open(deps, turnId);
      if ('kind' in opened) return opened;
      // It may still stream, for an earlier run or under a hold that has expired, and brings nothing any more.
      calls.get(turnId)?.call.interruption.cut('lost');
      const begun = new RunningCall(
        opened,
        (call) => callModel(deps, call),
        () => {
          if (calls.get(turnId) === begun) calls.delete(turnId);
        },
      );
      calls.set(turnId, begun);
      return begun.attend();
    });
}

/** Takes over the call that another task of this run began in this process; false: an attempt has to be opened. */
async function adopt(deps: ActivityDeps, { attempt, interruption }: Call): Promise<boolean> {
  if (interruption.why() === 'lost') return false;
  const adopted = await retryWhileAway(() =>
    adoptAttempt(deps.database, { turnId: attempt.turn.id, attempt: attempt.number }, attemptContext(deps)),
  );
  // Its message may have been missed, and the cancel belonged to the task that was lost.
  if (adopted?.isStopRequested === true) interruption.cut('stop');
  return adopted !== null;
}

async function open(deps: ActivityDeps, turnId: string): Promise<Call | Generated> {
  // Watching begins before the attempt opens, which reads the stop flag: no stop falls between the two.
  const interruption = openInterruption(deps.feed, turnId);
  let isCalling = false;
  try {
    const { runId, scheduledAt } = attemptContext(deps);
    const attempt = await retryWhileAway(() => openAttempt(deps.database, turnId, attemptContext(deps)));
    if (attempt === null) throw superseded();
    announceOwner(deps);
    // A first attempt speaks for itself, by its first delta; whoever has seen text must learn of the next.
    if (attempt.kind !== 'opened' || attempt.number > 1) deps.feed.announce(turnId, 'changed');
    if (attempt.kind !== 'opened') return attempt;
    isCalling = true;
    return { attempt, interruption, runId, scheduledAt };
  } finally {
    if (!isCalling) interruption.close();
  }
}
