import { ApplicationFailure } from '@temporalio/activity';
import { failAttempt, storeAnswer } from '../db/turns/attempts.ts';
import { releaseTurn } from '../db/turns/end.ts';
import { hasSpoken } from '../db/turns/prompts.ts';
import { isStopRequested } from '../db/turns/turns.ts';
import { readUnpaidTokens } from '../db/money/unpaid.ts';
import { decideUsage, unpaidUsage } from '../domain/answer-usage.ts';
import { TURN_FAILURES, type TurnFailureCode } from '../domain/errors.ts';
import type { Model } from '../domain/model.ts';
import { outputThatFits } from '../domain/metering.ts';
import { MOST_UNPAID_TOKENS } from '../domain/policy.ts';
import { odditiesOf } from '../domain/provider-oddities.ts';
import { machineWordOf, type ProviderError } from '../domain/provider-error.ts';
import { isBlank } from '../domain/text.ts';
import type { Usage } from '../domain/usage.ts';
import { ModelFailure, UNFINISHED, type ModelEnd } from '../platform/model/exchange.ts';
import { ObjectStoreAway } from '../platform/objects/object-store.ts';
import { openTurnWriter, type TurnWriter } from '../platform/streams/writer.ts';
import { TURN_FAILURE_TYPES, type Generated } from '../workflows/contract/turn.ts';
import { timeFirstDelta, type TimedDelivery } from './model/first-delta.ts';
import { askOf, openDelivery, writtenBy } from './openai/ask.ts';
import type { ActivityDeps } from './deps.ts';
import { retryWhileAway } from './retry-while-away.ts';
import type { Call } from './running-call.ts';
import { superseded } from './turn-context.ts';

/** Streams the model's answer to the turn's readers and stores it; what fails is on its attempt when this throws. */
export async function callModel(deps: ActivityDeps, call: Call): Promise<Generated> {
  const { attempt, interruption } = call;
  const { turn, hold } = attempt;
  const model = deps.models.find(({ name }) => name === turn.model);
  if (model === undefined)
    throw await failed(deps, call, { code: 'model_rejected', retryAfterMs: null, provider: null }, null);
  const ask = await retryUnlessLost(call, () => askOf(deps, attempt, model)).catch(async (error: unknown) => {
    // Nobody was asked, and nothing is charged. The run's next attempt comes as after a model that did not answer.
    if (!(error instanceof ObjectStoreAway)) throw error;
    throw await failed(deps, call, { code: 'interrupted', retryAfterMs: null, provider: null }, null);
  });
  const writer = openTurnWriter(deps.redis, {
    turnId: turn.id,
    attempt: attempt.number,
    kind: turn.isApi ? 'chunk' : 'delta',
    restarted: attempt.restarted,
    onEntry: (entry) => deps.feed.deliver(turn.id, entry),
  });
  const delivery = openDelivery(deps, attempt, {
    deliver: (text) => writer.delta(text),
    persist: (work) => retryUnlessLost(call, work),
  });
  const timed = timeFirstDelta(deps, attempt, delivery.delta);
  const ended = { call, model, writer, timed };
  try {
    const end = await deps.model.stream(
      {
        model,
        ...ask,
        outputLimit: hold.outputLimit,
        mostOutput: outputThatFits(hold.tokens, hold.promptTokens, hold.rate),
        signal: AbortSignal.any([interruption.signal, writer.fenced]),
      },
      timed.delta,
    );
    await delivery.settled();
    return await conclude(deps, { ...ended, end });
  } catch (error) {
    if (!(error instanceof ModelFailure)) throw error;
    await delivery.settled();
    return await breakOff(deps, { ...ended, end: { ...UNFINISHED, ...error.seen } }, error);
  } finally {
    await writer.end();
    if (writer.unsent > 0) deps.metrics.deltasDropped(writer.unsent);
  }
}

/** The answer is the process's to keep, whatever has become of the activity that attends the call. */
function retryUnlessLost<T>({ interruption }: Call, work: () => Promise<T>): Promise<T> {
  return retryWhileAway(work, () => interruption.why() === 'lost');
}

interface Ended {
  call: Call;
  model: Model;
  end: ModelEnd;
  writer: TurnWriter;
  timed: Pick<TimedDelivery, 'firstMs'>;
}

/** Why a call brought no answer. */
interface Broken {
  readonly code: TurnFailureCode;
  readonly retryAfterMs: number | null;
  readonly provider: ProviderError | null;
}

/** Complete means that a finish reason was seen: the client ends its loop in the same way when it is aborted. */
async function conclude(deps: ActivityDeps, ended: Ended): Promise<Generated> {
  const { end, call } = ended;
  const broken = { retryAfterMs: null, provider: null };
  if (isEmpty(ended) && (await isFree(deps, call)))
    return breakOff(deps, ended, { ...broken, code: 'model_unavailable' });
  if (end.finishReason !== null) return store(deps, ended, 'completed');
  // Unless it was stopped: shutdown, its time limit, or a newer attempt. This one brings no answer, another's may.
  const code = call.interruption.why() === 'timeout' ? 'model_timeout' : 'interrupted';
  return breakOff(deps, ended, { ...broken, code });
}

/** Whether the account's empty answers of this hour leave room for another that nobody pays (policy 11). */
async function isFree({ database }: ActivityDeps, call: Call): Promise<boolean> {
  const unpaid = await retryUnlessLost(call, () => readUnpaidTokens(database.sql, call.attempt.turn.accountId));
  return unpaid < MOST_UNPAID_TOKENS;
}

/**
 * An answer of which nothing is seen, that was not cut and calls no tool is none (policy 11), but for the OpenAI door.
 */
function isEmpty({ call, end, writer }: Pick<Ended, 'call' | 'end' | 'writer'>): boolean {
  return !call.attempt.turn.isApi && end.finishReason === 'stop' && !end.isCall && isBlank(writer.text);
}

/**
 * The model call ended without an answer. What is final stays as it ended; what would be tried again, a stop ends with
 * what has come, and once there was text that is charged (policy 6). The row knows of a stop before any message does.
 */
async function breakOff(deps: ActivityDeps, ended: Ended, broken: Broken): Promise<Generated> {
  const { call, end, writer } = ended;
  const { attempt, interruption } = call;
  const { code } = broken;
  const isStopped =
    TURN_FAILURES[code] &&
    (interruption.why() === 'stop' ||
      (await retryUnlessLost(call, () => isStopRequested(deps.database, attempt.turn.id))));
  if (!isStopped) throw await failed(deps, call, broken, end);
  return writer.text === '' ? stopEmpty(deps, call, end) : store(deps, ended, 'stopped');
}

async function store(deps: ActivityDeps, ended: Ended, outcome: 'completed' | 'stopped'): Promise<Generated> {
  const { call, model, end, writer, timed } = ended;
  const { attempt } = call;
  const { turn, hold } = attempt;
  const { text, beside, toldBeside } = writtenBy(attempt, end, writer.text);
  const count = (written: string) => deps.counter.count(written, model.encoding, turn.accountId);
  const [textTokens, besideTokens] = await Promise.all([count(text), beside === '' ? 0 : count(beside)]);
  const counted: Usage = {
    promptTokens: hold.promptTokens,
    cachedTokens: 0,
    completionTokens: textTokens + besideTokens + end.thoughtTokens,
    reasoningTokens: end.thoughtTokens,
  };
  const { usage, estimated } = decideUsage({
    reported: end.usage,
    counted,
    model,
    outputLimit: hold.outputLimit,
  });
  const streamEntries = await writer.end();
  const stored = await retryUnlessLost(call, () =>
    storeAnswer(deps.database, {
      turnId: turn.id,
      attempt: attempt.number,
      outcome,
      text,
      textTokens,
      usage,
      estimated,
      figures: estimated ? end.figures : null,
      finishReason: end.finishReason,
      finishWord: machineWordOf(end.finishWord),
      finishUnknown: end.isFinishUnknown,
      streamEntries,
      providerRequestId: end.providerRequestId,
      firstDeltaMs: timed.firstMs,
      api: toldBeside(usage),
    }),
  );
  for (const oddity of odditiesOf({ ...end, isUsageOurs: estimated && end.usage !== null }))
    deps.metrics.providerOddity({ model: model.name, oddity });
  deps.metrics.attemptEnded({ model: model.name, outcome: outcome === 'completed' ? 'answered' : 'stopped' });
  if (stored !== null) return stored;
  throw superseded();
}

/**
 * Stopped before the first delta: nothing was answered, nothing is charged; what the provider charged us stays on the
 * attempt.
 */
async function stopEmpty(deps: ActivityDeps, call: Call, end: ModelEnd): Promise<Generated> {
  const usage = unpaidUsage(end.usage);
  const { runId, scheduledAt } = call;
  const { turn, number } = call.attempt;
  const released = await retryUnlessLost(call, () =>
    releaseTurn(deps.database, {
      turnId: turn.id,
      runId,
      attempt: number,
      reason: { as: 'stopped' },
      scheduledAt,
    }),
  );
  if (usage !== null)
    await retryUnlessLost(call, () =>
      failAttempt(deps.database, { turnId: turn.id, attempt: number, code: 'interrupted', usage }),
    );
  deps.metrics.attemptEnded({ model: turn.model, outcome: 'stopped' });
  if (released !== null) return released;
  throw superseded();
}

/** @param end what the call brought; null before there was one. */
async function failed(
  deps: ActivityDeps,
  call: Call,
  { code, retryAfterMs, provider }: Broken,
  end: ModelEnd | null,
): Promise<ApplicationFailure> {
  const { turn, number, isLast, wasEmpty } = call.attempt;
  const isEmptyAgain = end?.finishReason === 'stop' && wasEmpty;
  await retryUnlessLost(call, () =>
    failAttempt(deps.database, {
      turnId: turn.id,
      attempt: number,
      code,
      usage: unpaidUsage(end?.usage ?? null),
      finishReason: end?.finishReason ?? null,
      provider,
    }),
  );
  deps.metrics.attemptEnded({ model: turn.model, outcome: code });
  if (end?.finishReason === 'stop') deps.metrics.providerOddity({ model: turn.model, oddity: 'empty' });
  const hasLeft = turn.isApi && (await retryUnlessLost(call, () => hasSpoken(deps.database.sql, turn.id)));
  return ApplicationFailure.create({
    type: TURN_FAILURE_TYPES[hasLeft && TURN_FAILURES[code] ? 'interrupted' : code],
    message: [code, provider?.status, provider?.code].filter((part) => part != null).join(' '),
    nonRetryable: isLast || isEmptyAgain || hasLeft || !TURN_FAILURES[code],
    ...(retryAfterMs === null ? {} : { nextRetryDelay: retryAfterMs }),
  });
}
