import type OpenAI from 'openai';
import { readableText, saysSomething, textOfCalls, type ChoiceDelta } from '../../domain/choice.ts';
import { coversText } from '../../domain/answer-usage.ts';
import { TURN_FAILURES, type TurnFailureCode } from '../../domain/errors.ts';
import { machineWordOf } from '../../domain/provider-error.ts';
import { Answer } from './answer.ts';
import { readChunk } from './dialect.ts';
import { classifyModelError, faultError, providerErrorOf, refusesStreamOptions } from './error.ts';
import { DONE, EventReader, TooLarge } from './events.ts';
import { ModelFailure, UNFINISHED, type ModelEnd, type ModelRequest, type Seen, type StallLimits } from './exchange.ts';
import { finishOf } from './finish.ts';
import type { Body, ModelHttp } from './http.ts';
import { OutputBound } from './output-bound.ts';
import { parametersOf } from './parameters.ts';
import { StallClock } from '../stall-clock.ts';
import { countTokens } from '../tokens/tokenizer.ts';

/** Gets the text that is new, as people read it, and all that is new. */
export type OnDelta = (text: string, delta: ChoiceDelta) => void;

/** What calls of one client share. */
export interface CallContext {
  readonly client: OpenAI;
  readonly http: ModelHttp;
  readonly closing: AbortSignal;
  /** Models whose provider refused `stream_options`. */
  readonly withoutUsage: Set<string>;
}

/**
 * How long to wait for the next chunk after a finish reason: usage may follow in a chunk of its own, and some providers
 * write a reason into every chunk. Once usage has come, only the end is missing. The reader reads the text meanwhile.
 */
const CHUNK_WITHIN_MS = 2_000;
const CHUNK_AFTER_USAGE_WITHIN_MS = 1_000;
/** The same in all, for a provider that sends empty chunks for ever. */
const END_WITHIN_MS = 10_000;

/** Far more than an event of an honest answer has, for each token of the limit and in all. */
const EVENT_SIZE = { base: 1_048_576, perToken: 256 };
const BODY_BYTES = { base: 8_388_608, perToken: 4_096 };

/** One call of the model, and the timer that ends it when the provider stalls. */
export class ModelCall {
  readonly #request: ModelRequest & { stall: StallLimits };
  readonly #context: CallContext;
  readonly #clock = new AbortController();
  readonly #signal: AbortSignal;
  readonly #answer: Answer;
  readonly #stall = new StallClock(() => this.#clock.abort());
  /** As the signal says, which is asked with every chunk: one of several signals looks at all of them each time. */
  #isAborted = false;
  #endsBy = Infinity;
  /** `[DONE]` came. */
  #isDone = false;
  #providerRequestId: string | null = null;

  constructor(request: ModelRequest & { stall: StallLimits }, context: CallContext) {
    this.#request = request;
    this.#context = context;
    this.#signal = AbortSignal.any([request.signal, context.closing, this.#clock.signal]);
    this.#answer = new Answer(new OutputBound(request.mostOutput ?? Infinity, request.model.encoding), {
      keepsLogprobs: request.parameters?.logprobs === true,
    });
  }

  async run(onDelta: OnDelta): Promise<ModelEnd> {
    try {
      await this.#stream(onDelta);
    } finally {
      this.#stall.stop();
    }
    return this.#end();
  }

  async #stream(onDelta: OnDelta): Promise<void> {
    this.#stall.allow(this.#silence());
    let body: Body | null = null;
    const cut = () => {
      this.#isAborted = true;
      body?.cut();
    };
    this.#signal.addEventListener('abort', cut);
    this.#isAborted = this.#signal.aborted;
    try {
      body = await this.#open();
      if (this.#signal.aborted) return;
      await this.#read(body, onDelta);
      // An aborted stream ends in the same way, and then more text may have been on its way.
      this.#answer.isEnded ||= this.#answer.finish !== null && !this.#signal.aborted;
    } catch (error) {
      if (error instanceof CallersError) throw error.cause;
      // A connection lost after the finish reason takes nothing from the answer.
      if (this.#signal.aborted || this.#answer.isEnded) return;
      if (error instanceof TooLarge && this.#answer.hasBegun) this.#answer.isCut = true;
      else throw new ModelFailure({ ...classifyModelError(error), provider: providerErrorOf(error) }, this.#seen());
    } finally {
      this.#signal.removeEventListener('abort', cut);
      if (this.#isDone) body?.leave();
      else body?.cut();
    }
  }

  /** A provider that refuses to be asked for usage is found out once: it has done nothing yet. */
  async #open(): Promise<Body> {
    const { model } = this.#request;
    const { withoutUsage } = this.#context;
    const asks = !model.refuses.includes('stream_options') && !withoutUsage.has(model.name);
    try {
      return await this.#post(asks);
    } catch (error) {
      if (!asks || !refusesStreamOptions(error)) throw error;
      withoutUsage.add(model.name);
      return this.#post(false);
    }
  }

  async #post(asksForUsage: boolean): Promise<Body> {
    const { client, http } = this.#context;
    const response = await client.chat.completions
      .create(parametersOf(this.#request, asksForUsage), { signal: this.#signal })
      .asResponse();
    this.#providerRequestId = response.headers.get('x-request-id') ?? response.headers.get('request-id');
    return http.bodyOf(response);
  }

  async #read(body: Body, onDelta: OnDelta): Promise<void> {
    const { outputLimit } = this.#request;
    const events = new EventReader(EVENT_SIZE.base + EVENT_SIZE.perToken * outputLimit);
    let left = BODY_BYTES.base + BODY_BYTES.perToken * outputLimit;
    const isOver = () => this.#isDone || this.#answer.isCut || this.#isAborted;
    await body.read((part) => {
      left -= part.length;
      if (left < 0) throw new TooLarge('a body is larger than any answer');
      // A heartbeat shows that the provider is there; the attempt's own limit ends one that only beats.
      if (!this.#answer.isEnded) this.#stall.allow(this.#silence());
      for (const event of events.push(part)) {
        this.#tell(this.#take(event), onDelta);
        if (isOver()) return false;
      }
      return true;
    });
    if (!isOver()) for (const event of events.end()) this.#tell(this.#take(event), onDelta);
  }

  #tell(delta: ChoiceDelta, onDelta: OnDelta): void {
    if (!this.#isForReader(delta)) return;
    try {
      onDelta(readableText(delta), delta);
    } catch (cause) {
      throw new CallersError('the reader of an answer failed', { cause });
    }
  }

  /** A conversation of ours has text alone. */
  #isForReader(delta: ChoiceDelta): boolean {
    return this.#request.parameters === undefined ? readableText(delta) !== '' : saysSomething(delta);
  }

  /** @returns what the event adds. */
  #take(event: unknown): ChoiceDelta {
    this.#isDone ||= event === DONE;
    const said = readChunk(event);
    if (said === null) return {};
    if (said.kind === 'fault') throw faultError(said.fault);
    const wasEnded = this.#answer.isEnded;
    const delta = this.#answer.take(said.piece);
    if (!this.#answer.isEnded) this.#stall.allow(this.#silence());
    else {
      if (!wasEnded || saysSomething(delta)) this.#endsBy = performance.now() + END_WITHIN_MS;
      const next = this.#answer.usage === null ? CHUNK_WITHIN_MS : CHUNK_AFTER_USAGE_WITHIN_MS;
      this.#stall.allow(Math.min(next, Math.max(0, this.#endsBy - performance.now())));
    }
    return delta;
  }

  /** How long the provider may be silent from now on. */
  #silence(): number {
    const { firstByteMs, betweenMs } = this.#request.stall;
    return this.#answer.hasBegun ? betweenMs : firstByteMs;
  }

  #end(): ModelEnd {
    const { finish, isEnded, isCut, isCall } = this.#answer;
    const seen = this.#seen();
    const end = { ...UNFINISHED, ...seen, finishWord: finish, isCut, isCall };
    if (isCut) return { ...end, finishReason: 'length' };
    if (isEnded && finish !== null) {
      const meaning = finishOf(finish);
      // Who brings all of the prompt is told the provider's own end, and pays what it cost (policy 9).
      const isPassedOn = meaning === 'content_filtered' && this.#request.parameters !== undefined;
      if ((meaning === 'content_filtered' && !isPassedOn) || meaning === 'model_unavailable')
        throw this.#failure(meaning);
      return {
        ...end,
        finishReason: meaning === 'length' ? 'length' : 'stop',
        isFinishUnknown: meaning === null,
        isCall: isCall || meaning === 'calls',
      };
    }
    if (this.#clock.signal.aborted && !this.#request.signal.aborted) throw this.#failure('model_timeout');
    if (this.#signal.aborted) return { ...end, aborted: true };
    if (
      this.#isDone &&
      seen.usage !== null &&
      coversText(seen.usage, this.#count(this.#written()), this.#request.model)
    )
      return { ...end, finishReason: 'stop', isFinishUnknown: true };
    // The connection closed in the middle of the answer without an error.
    throw this.#failure('model_unavailable');
  }

  /** All that was written for a reader. */
  #written(): string {
    const { choice } = this.#answer;
    return `${readableText(choice)}${textOfCalls(choice)}`;
  }

  #seen(): Seen {
    const { usage: read, thoughts, isCut, choice } = this.#answer;
    return {
      choice,
      // What a provider said before it was cut is not of all that came.
      usage: read === null ? null : isCut ? { ...read.usage, completionTokens: null } : read.usage,
      figures: read?.figures ?? null,
      thoughtTokens: this.#count(thoughts),
      providerRequestId: this.#providerRequestId,
    };
  }

  #count(text: string): number {
    return text === '' ? 0 : countTokens(text, this.#request.model.encoding);
  }

  #failure(code: TurnFailureCode): ModelFailure {
    const requestId = machineWordOf(this.#providerRequestId);
    const word = machineWordOf(this.#answer.finish);
    const provider = requestId === null && word === null ? null : { status: null, code: word, requestId };
    return new ModelFailure({ code, retryable: TURN_FAILURES[code], provider }, this.#seen());
  }
}

/** An error of whoever gets the deltas. It ends the call and reaches the caller as it was. */
class CallersError extends Error {
  override readonly name = 'CallersError';
}
