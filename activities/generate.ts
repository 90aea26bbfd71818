import { activityInfo, ApplicationFailure } from '@temporalio/activity';
import { failAttempt, openAttempt, storeAnswer, type OpenedAttempt } from '../db/turns/attempts.ts';
import { releaseTurn } from '../db/turns/end.ts';
import { readTranscript } from '../db/turns/transcript.ts';
import { isStopRequested } from '../db/turns/turns.ts';
import { TURN_FAILURES, type TurnFailureCode } from '../domain/errors.ts';
import type { Model } from '../domain/model.ts';
import type { Usage } from '../domain/usage.ts';
import { ModelFailure, type ModelEnd } from '../platform/model/call.ts';
import { openTurnWriter, type TurnWriter } from '../platform/streams/writer.ts';
import { TURN_FAILURE_TYPES, type Generated, type TurnActivities } from '../workflows/contract/turn.ts';
import type { ActivityDeps } from './deps.ts';
import { heartbeating } from './heartbeat.ts';
import { watchInterruption, type Interruption } from './interruption.ts';
import { retryWhileAway } from './retry-while-away.ts';
import { announceOwner, attemptContext } from './turn-context.ts';

/** Calls the model once for a turn and streams to its readers. The answer is in PostgreSQL before this returns. */
export function createGenerate(deps: ActivityDeps): TurnActivities['generate'] {
  return ({ turnId }) =>
    heartbeating(async () => {
      // Watching begins before the attempt opens, because opening reads the stop flag: no stop falls between the two.
      const interruption = watchInterruption(deps.feed, turnId);
      try {
        const opened = await retryWhileAway(() => openAttempt(deps.database, turnId, attemptContext(deps)));
        if (opened === null) throw superseded();
        announceOwner(deps);
        // A first attempt shows by its first delta. Readers who have seen text must learn of any later attempt.
        if (opened.kind !== 'opened' || opened.number > 1) deps.feed.announce(turnId, 'changed');
        return opened.kind === 'opened' ? await callModel(deps, opened, interruption) : opened;
      } finally {
        interruption.close();
      }
    });
}

async function callModel(deps: ActivityDeps, attempt: OpenedAttempt, interruption: Interruption): Promise<Generated> {
  const { turn, hold } = attempt;
  const model = deps.models.find(({ name }) => name === turn.model);
  if (model === undefined) throw await failed(deps, attempt, 'model_rejected', null);
  const messages = await retryWhileAway(() =>
    readTranscript(deps.database.sql, turn, { instructions: model.instructions, historyFrom: hold.historyFrom }),
  );
  const writer = openTurnWriter(deps.redis, {
    turnId: turn.id,
    attempt: attempt.number,
    restarted: attempt.restarted,
    onEntry: (entry) => deps.feed.deliver(turn.id, entry),
  });
  const onDelta = timeFirstDelta(deps, attempt, (delta) => writer.delta(delta));
  try {
    const end = await deps.model.stream(
      { model, messages, outputLimit: hold.outputLimit, signal: AbortSignal.any([interruption.signal, writer.fenced]) },
      onDelta,
    );
    return await conclude(deps, { attempt, model, end, writer, interruption });
  } catch (error) {
    if (!(error instanceof ModelFailure)) throw error;
    const end: ModelEnd = { finishReason: null, usage: error.usage, aborted: false, providerRequestId: null };
    return await breakOff(deps, { attempt, model, end, writer, interruption }, error);
  } finally {
    await writer.end();
    if (writer.unsent > 0) deps.metrics.deltasDropped(writer.unsent);
  }
}

/**
 * Measures the time to the first delta in two parts: `start` is from the hold of a run's first call until now, `model`
 * from now until the delta.
 * @returns `onDelta`, wrapped.
 */
function timeFirstDelta(
  { metrics, now }: ActivityDeps,
  { turn, restarted }: OpenedAttempt,
  onDelta: (text: string) => void,
): (text: string) => void {
  const calledAt = performance.now();
  // The hold's time is PostgreSQL's clock, `now` is ours: they differ by milliseconds on machines that keep time.
  if (restarted !== 'retry' && turn.admittedAt !== null)
    metrics.firstDeltaPart('start', (now() - turn.admittedAt) / 1_000);
  let waiting = true;
  return (text) => {
    if (waiting) metrics.firstDeltaPart('model', (performance.now() - calledAt) / 1_000);
    waiting = false;
    onDelta(text);
  };
}

interface Ended {
  attempt: OpenedAttempt;
  model: Model;
  end: ModelEnd;
  writer: TurnWriter;
  interruption: Interruption;
}

/** An answer is complete only with a finish reason: the client ends its loop in the same way when it is aborted. */
async function conclude(deps: ActivityDeps, ended: Ended): Promise<Generated> {
  if (ended.end.finishReason !== null) return store(deps, ended, 'completed');
  // Without a stop it was shutdown, a timeout or a newer attempt. This attempt has no answer; another worker's may.
  return breakOff(deps, ended, { code: 'interrupted', retryAfterMs: null, provider: null });
}

/**
 * The model call ended without an answer. A final failure stays a failure, even after a stop. A failure that would be
 * tried again becomes a stop where one was asked for: it keeps the text that has come, and text is charged (policy 6).
 * The row is read as well, because it knows of a stop before any message arrives.
 */
async function breakOff(
  deps: ActivityDeps,
  ended: Ended,
  failure: Pick<ModelFailure, 'code' | 'retryAfterMs' | 'provider'>,
): Promise<Generated> {
  const { attempt, end, interruption, writer } = ended;
  const { code } = failure;
  const isStopped =
    TURN_FAILURES[code] &&
    (interruption.why() === 'stop' || (await retryWhileAway(() => isStopRequested(deps.database, attempt.turn.id))));
  if (!isStopped) throw await failed(deps, attempt, code, end.usage, failure);
  return writer.text === '' ? stopEmpty(deps, attempt, end.usage) : store(deps, ended, 'stopped');
}

async function store(deps: ActivityDeps, ended: Ended, outcome: 'completed' | 'stopped'): Promise<Generated> {
  const { attempt, model, end, writer } = ended;
  const { turn, hold } = attempt;
  const { text } = writer;
  const textTokens = deps.countTokens(text, model.encoding);
  const counted: Usage = {
    promptTokens: hold.promptTokens,
    cachedTokens: 0,
    completionTokens: textTokens,
    reasoningTokens: 0,
  };
  const streamEntries = await writer.end();
  const stored = await retryWhileAway(() =>
    storeAnswer(deps.database, {
      turnId: turn.id,
      attempt: attempt.number,
      outcome,
      text,
      textTokens,
      usage: end.usage ?? counted,
      estimated: end.usage === null,
      finishReason: end.finishReason,
      streamEntries,
      providerRequestId: end.providerRequestId,
      now: deps.now(),
    }),
  );
  deps.metrics.attemptEnded({ model: model.name, outcome: outcome === 'completed' ? 'answered' : 'stopped' });
  if (stored !== null) return stored;
  throw superseded();
}

/**
 * The turn was stopped before the first delta, so nothing is charged. What the provider charged us stays on the
 * attempt.
 */
async function stopEmpty(deps: ActivityDeps, { turn, number }: OpenedAttempt, usage: Usage | null): Promise<Generated> {
  const { workflowExecution, currentAttemptScheduledTimestampMs: scheduledAt } = activityInfo();
  const released = await retryWhileAway(() =>
    releaseTurn(deps.database, {
      turnId: turn.id,
      runId: workflowExecution?.runId ?? '',
      attempt: number,
      reason: { as: 'stopped' },
      scheduledAt,
    }),
  );
  if (usage !== null)
    await retryWhileAway(() =>
      failAttempt(deps.database, { turnId: turn.id, attempt: number, code: 'interrupted', usage }),
    );
  deps.metrics.attemptEnded({ model: turn.model, outcome: 'stopped' });
  if (released !== null) return released;
  throw superseded();
}

function superseded(): ApplicationFailure {
  return ApplicationFailure.create({
    type: TURN_FAILURE_TYPES.interrupted,
    message: 'a newer run or attempt answers this turn',
    nonRetryable: false,
  });
}

async function failed(
  deps: ActivityDeps,
  { turn, number, isLast }: OpenedAttempt,
  code: TurnFailureCode,
  usage: Usage | null,
  { retryAfterMs, provider }: Pick<ModelFailure, 'retryAfterMs' | 'provider'> = { retryAfterMs: null, provider: null },
): Promise<ApplicationFailure> {
  await retryWhileAway(() => failAttempt(deps.database, { turnId: turn.id, attempt: number, code, usage, provider }));
  deps.metrics.attemptEnded({ model: turn.model, outcome: code });
  return ApplicationFailure.create({
    type: TURN_FAILURE_TYPES[code],
    message: [code, provider?.status, provider?.code].filter((part) => part != null).join(' '),
    nonRetryable: isLast || !TURN_FAILURES[code],
    ...(retryAfterMs === null ? {} : { nextRetryDelay: retryAfterMs }),
  });
}
