import { DeadlinePassed, ignoreLateness, within } from '../deadline.ts';

/** After so long without an answer the server is asked for any word at all: is it away, or slow? */
const ASK_AFTER_MS = 1_000;
/** One that says nothing is away. Whoever waits is told so. */
const AWAY_AFTER_MS = 2_000;
/** One that answers, and not this, has more to do than it can. */
const SLOW_AFTER_MS = 10_000;

/** The server answers others, and has not answered this in time. */
export class ServerSlow extends Error {
  override readonly name = 'ServerSlow';

  constructor() {
    super(`no answer within ${SLOW_AFTER_MS} ms, from a server that answers others`);
  }
}

/**
 * Waits for a call of a server that may be away, which is told soon, or merely busy, as on a machine where a process
 * has just begun or ended: that is waited for, because what was asked is most often done a moment later.
 * @param isThere whether the server answers anything at all, within a second. It never rejects.
 * @throws DeadlinePassed of a server that says nothing, ServerSlow of one that does, or as the call does. The call may
 *   take effect after either.
 */
export async function patiently<T>(call: Promise<T>, isThere: () => Promise<boolean>): Promise<T> {
  const answer = call.then((value) => ({ value }));
  const waited = (ms: number) => within(ms, answer).catch(ignoreLateness);
  const soon = await waited(ASK_AFTER_MS);
  if (soon !== undefined) return soon.value;
  const there = isThere();
  const late = await waited(AWAY_AFTER_MS - ASK_AFTER_MS);
  if (late !== undefined) return late.value;
  if (!(await there)) throw new DeadlinePassed(AWAY_AFTER_MS);
  const last = await waited(SLOW_AFTER_MS - AWAY_AFTER_MS);
  if (last !== undefined) return last.value;
  throw new ServerSlow();
}
