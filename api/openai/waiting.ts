import type { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { isStillLeft, markLeft } from '../../db/turns/prompts.ts';
import { RETRY_JOINS_FOR_SECONDS } from '../../domain/api-prompt.ts';
import type { TurnRecord } from '../../domain/turn.ts';
import { stopTurn } from '../../operations/stop-turn.ts';
import { describeError } from '../../platform/telemetry/describe-error.ts';
import type { ApiDeps, Caller } from '../context.ts';

/** How soon after its answer a kept connection must be gone for the answer to count as lost on its way. */
const LOST_WITHIN_MS = 1_000;

/** One request that waits for a turn's answer. */
export interface Waiting {
  /** The response's head has left: closing the connection is a stop from here on. */
  began(): void;
  /** All of the stream has been written. */
  whole(): void;
  /** Stops the turn while somebody still waits, as their going would. */
  stop(): Promise<void>;
  /** The turn goes on for a retry of its client, as when its connection was lost. */
  leave(): Promise<void>;
}

/**
 * What becomes of a turn whose reader goes. Once a stream has begun, closing it is how clients of the OpenAI door stop
 * (policy 6). Before that the connection may have been lost, and the client may send again: the turn goes on for a
 * minute, and stops if nobody has joined it. A stream whose key has ended is stopped at once.
 */
export function waitFor(
  deps: ApiDeps,
  { response, request, gone, left, over }: Caller,
  { turn, streamed }: { turn: TurnRecord; streamed: boolean },
): Waiting {
  const { turnId, userId } = turn;
  let hasBegun = false;
  let isWhole = false;
  const tried = (work: Promise<unknown>): Promise<unknown> =>
    work.catch((error: unknown) => deps.log.warn({ turnId, err: describeError(error) }, 'a reader left unseen'));
  const unless = (work: Promise<unknown>) => void tried(work);
  const stop = () => stopTurn(deps, { turnId, userId });
  const stopUnlessJoined = async () => {
    // Reconcile stops what is left by a process that goes meanwhile.
    await sleep(RETRY_JOINS_FOR_SECONDS * 1_000 + 100, undefined, { signal: over, ref: false }).catch(() => {});
    if (!over.aborted && (await isStillLeft(deps.database, turnId))) await stop();
  };
  const leave = async () => {
    await markLeft(deps.database, turnId);
    unless(stopUnlessJoined());
  };
  const closed = () => {
    if (hasBegun ? isWhole : response.writableFinished) return;
    unless(hasBegun ? stop() : leave());
  };
  // It may be gone before the turn stood.
  if (response.closed || response.destroyed) closed();
  else response.once('close', closed);
  response.once('finish', () => {
    const { socket } = request;
    if (hasBegun || response.statusCode !== 200 || request.headers.connection === 'close') return;
    const forget = whenClosed(socket, () => unless(leave()));
    setTimeout(forget, LOST_WITHIN_MS).unref();
  });
  const stopWithKey = () => {
    if (streamed && !left.aborted && !isWhole && !response.closed) unless(stop());
  };
  gone.addEventListener('abort', stopWithKey, { once: true });
  return {
    began: () => {
      hasBegun = true;
    },
    whole: () => {
      isWhole = true;
    },
    stop: async () => {
      await tried(stop());
      isWhole = true;
    },
    leave: async () => {
      await tried(leave());
    },
  };
}

const CLOSINGS = new WeakMap<Socket, Set<() => void>>();

/** One listener for all of a connection's answers, because a kept connection may bring hundreds a second. */
function whenClosed(socket: Socket, work: () => void): () => void {
  let works = CLOSINGS.get(socket);
  if (works === undefined) {
    const all = new Set<() => void>();
    socket.once('close', () => all.forEach((one) => one()));
    CLOSINGS.set(socket, (works = all));
  }
  const own = works.add(work);
  return () => own.delete(work);
}
