import { Context } from '@temporalio/activity';
import type { OpenedAttempt } from '../db/turns/attempts.ts';
import { attemptTimeoutMs } from '../domain/attempt-limits.ts';
import type { Instant } from '../domain/period.ts';
import type { Generated } from '../workflows/contract/turn.ts';
import type { Interruption } from './interruption.ts';
import { superseded } from './turn-context.ts';

/** A model call of an open attempt, and what may end it before its time. */
export interface Call {
  readonly attempt: OpenedAttempt;
  readonly interruption: Interruption;
  /** Of the task that opened the attempt. */
  readonly runId: string;
  readonly scheduledAt: Instant;
}

/**
 * How long a call goes on that no activity attends. Its activity hears that Temporal took it for lost when Temporal
 * answers again; the next task of the run follows 1, 2, 4 or 8 s later, to this process or to another.
 */
const ADOPTED_WITHIN_MS = 20_000;

/**
 * A call under way. It belongs to the process and not to the activity that began it: when Temporal was away for some
 * seconds, it takes the activity for lost and gives its task out again, and the call that streams all the while is paid
 * for already. An activity attends it; one that is lost leaves it to the next.
 */
export class RunningCall {
  readonly call: Call;
  readonly #ended: Promise<Generated>;
  #attendants = 0;
  #isOver = false;
  #alone: NodeJS.Timeout | undefined;

  /** @param run makes the call, and stores what it brings. */
  constructor(call: Call, run: (call: Call) => Promise<Generated>, onEnded: () => void) {
    const { attempt, interruption } = call;
    this.call = call;
    // Temporal's limit begins anew with each activity that attends the call; this one is the call's own.
    const limit = setTimeout(() => interruption.cut('timeout'), attemptTimeoutMs(attempt.hold.outputLimit));
    this.#ended = run(call).finally(() => {
      this.#isOver = true;
      clearTimeout(limit);
      clearTimeout(this.#alone);
      interruption.close();
      onEnded();
    });
    // A failure that nobody attends stands on its attempt; the next task opens another.
    this.#ended.catch(() => {});
  }

  /**
   * What it brings, for the activity that calls.
   * @throws what ended the call; ApplicationFailure when Temporal took the activity for lost.
   */
  async attend(): Promise<Generated> {
    const context = Context.current();
    const { cancellationSignal } = context;
    clearTimeout(this.#alone);
    this.#attendants += 1;
    const { promise: outcome, resolve, reject } = Promise.withResolvers<Generated>();
    this.#ended.then(resolve, reject);
    const onCancel = () => {
      if (isLost(context)) reject(superseded());
      else this.call.interruption.cut(isStopped(context) ? 'stop' : 'lost');
    };
    if (cancellationSignal.aborted) onCancel();
    else cancellationSignal.addEventListener('abort', onCancel);
    try {
      return await outcome;
    } finally {
      cancellationSignal.removeEventListener('abort', onCancel);
      this.#attendants -= 1;
      if (this.#attendants === 0 && !this.#isOver)
        this.#alone = setTimeout(() => this.call.interruption.cut('lost'), ADOPTED_WITHIN_MS).unref();
    }
  }
}

function isStopped({ cancellationDetails }: Context): boolean {
  return cancellationDetails?.cancelRequested === true;
}

/** Temporal no longer knows the task. Else the worker goes, or somebody paused or reset the activity. */
function isLost(context: Context): boolean {
  const { cancellationDetails: details } = context;
  return !isStopped(context) && (details?.notFound === true || details?.timedOut === true);
}
