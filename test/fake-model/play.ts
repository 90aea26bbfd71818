import type { ServerResponse } from 'node:http';
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import { countPrompt } from '../../domain/prompt-tokens.ts';
import { countTokens } from '../../platform/tokens/tokenizer.ts';
import { lookAt } from './images.ts';
import type { Point, RawStep, Scenario } from './scenario.ts';

export interface ChatBody {
  readonly model: string;
  readonly messages: readonly { readonly role: string; readonly content: string | null | readonly ContentPart[] }[];
  readonly logprobs?: boolean;
  readonly max_completion_tokens?: number;
  readonly max_tokens?: number;
  readonly stream_options?: { readonly include_usage?: boolean };
}

export type ContentPart =
  | { readonly type: 'text'; readonly text: string }
  | { readonly type: 'image_url'; readonly image_url: { readonly url: string; readonly detail?: string } };

export const GREETING = ['안녕', '하세요', '. 무엇을 ', '도와드릴까요?'] as const;

interface AnswerContext {
  readonly requestId: string;
  /** Called when the scenario, and not the client, is about to drop the connection. */
  onDrop(): void;
}

/** Answers one request as its scenario says; returns early when the client has gone. */
export async function play(
  scenario: Scenario,
  response: ServerResponse,
  body: ChatBody,
  { requestId, onDrop }: AnswerContext,
): Promise<void> {
  const gone = new Promise<void>((resolve) => response.once('close', resolve));
  const gates = [scenario.gate ?? []].flat();
  // Answers without a gate do not wait: each of a bench's thousands of chunks would leave a listener on `gone` behind.
  const pass = async (point: Point) =>
    gates.length === 0 ? undefined : Promise.race([gone, Promise.all(gates.map((gate) => gate.pass(point)))]);
  await pass('request');
  if (response.destroyed) return;
  const seen = lookAt(body.model, body.messages);
  if ('refused' in seen) {
    const { code, message } = seen.refused;
    response.writeHead(400, { 'content-type': 'application/json', 'x-request-id': requestId });
    response.end(JSON.stringify({ error: { message, type: 'invalid_request_error', param: 'messages', code } }));
    return;
  }
  if (scenario.status !== undefined) {
    response.writeHead(scenario.status, {
      'content-type': 'application/json',
      'x-request-id': requestId,
      ...scenario.headers,
    });
    response.end(JSON.stringify({ error: errorOf(scenario) }));
    return;
  }
  response.writeHead(200, { 'content-type': 'text/event-stream', 'x-request-id': requestId, ...scenario.headers });
  response.flushHeaders();
  response.socket?.setNoDelay(true);
  if (scenario.raw !== undefined) return playRaw(scenario.raw, response, { gone, onDrop });
  await new Answer(scenario, response, body, { pass, onDrop }).send();
}

async function playRaw(
  steps: readonly RawStep[],
  response: ServerResponse,
  { gone, onDrop }: { gone: Promise<void>; onDrop: () => void },
): Promise<void> {
  for (const step of steps) {
    if (response.destroyed) return;
    if ('bytes' in step) await written(response, step.bytes, gone);
    else if ('pauseMs' in step) await Promise.race([gone, sleep(step.pauseMs)]);
    else if ('gate' in step) await Promise.race([gone, step.gate.pass(step.gate.point)]);
    else if ('open' in step) return gone;
    else if ('cut' in step) {
      onDrop();
      response.destroy();
      return;
    } else {
      const event = `data: ${typeof step.data === 'string' ? step.data : JSON.stringify(step.data)}\n\n`;
      const { times, everyMs } = 'times' in step ? { everyMs: undefined, ...step } : { times: 1, everyMs: undefined };
      for (let n = 0; n < times && !response.destroyed; n += 1) {
        if (everyMs !== undefined) await Promise.race([gone, sleep(everyMs)]);
        await written(response, event, gone);
      }
    }
  }
  response.end();
}

/** Writes no faster than the client reads, so that a test may send much. */
async function written(response: ServerResponse, bytes: string | Uint8Array, gone: Promise<void>): Promise<void> {
  if (response.destroyed || response.write(bytes)) return;
  await Promise.race([gone, new Promise((resolve) => response.once('drain', resolve))]);
}

class Answer {
  readonly #scenario: Scenario;
  readonly #response: ServerResponse;
  readonly #body: ChatBody;
  readonly #pass: (point: Point) => Promise<unknown>;
  readonly #onDrop: () => void;

  constructor(
    scenario: Scenario,
    response: ServerResponse,
    body: ChatBody,
    { pass, onDrop }: { pass: (point: Point) => Promise<unknown>; onDrop: () => void },
  ) {
    this.#scenario = scenario;
    this.#response = response;
    this.#body = body;
    this.#pass = pass;
    this.#onDrop = onDrop;
  }

  async send(): Promise<void> {
    const { finishReason, finishReasons = {}, omitFinish, omitUsage, delayMs = 0 } = this.#scenario;
    const chunks = chunksOf(this.#scenario);
    const { calls = [], refusal = [] } = this.#scenario;
    const sent = this.#withinLimit(chunks);
    const start = performance.now();
    await this.#chunk({ role: 'assistant', content: '' }, finishReasons[0]);
    for (const [i, text] of sent.entries()) {
      await this.#pass(i + 1);
      if (await this.#breaks(i + 1)) return;
      const wait = delayMs === 0 ? 0 : start + (i + 1) * delayMs - performance.now();
      if (wait > 0) await sleep(wait);
      if (this.#response.destroyed) return;
      await this.#chunk({ content: text }, finishReasons[i + 1], this.#logprobs(text));
    }
    for (const text of refusal) await this.#chunk({ refusal: text });
    for (const [index, call] of calls.entries()) await this.#call(index, call);
    await this.#pass('finish');
    if (await this.#breaks(sent.length + 1)) return;
    const ended = sent.length < chunks.length ? 'length' : calls.length > 0 ? 'tool_calls' : 'stop';
    if (omitFinish !== true) await this.#chunk({}, finishReason ?? ended);
    await this.#pass('usage');
    if (await this.#breaks(sent.length + 2)) return;
    if (omitUsage !== true && this.#body.stream_options?.include_usage === true) {
      await this.#event({
        ...this.#frame(),
        choices: [],
        usage: this.#scenario.usage ?? this.#counted(writtenOf(this.#scenario, sent)),
      });
    }
    await this.#pass('done');
    if (this.#response.destroyed) return;
    await this.#event('[DONE]');
    // The end of the body comes in a packet of its own, as with real providers.
    await sleep(1);
    this.#response.end();
  }

  /** @returns whether the answer ends here, by a lost connection or an error. */
  async #breaks(n: number): Promise<boolean> {
    if (this.#response.destroyed) return true;
    if (this.#scenario.dropAt === n) {
      this.#onDrop();
      this.#response.destroy();
      return true;
    }
    if (this.#scenario.errorAt !== n) return false;
    await this.#event({ error: errorOf(this.#scenario) });
    this.#response.end();
    return true;
  }

  #withinLimit(chunks: readonly string[]): readonly string[] {
    if (this.#scenario.honourLimit === false) return chunks;
    const limit = this.#body.max_completion_tokens ?? this.#body.max_tokens ?? Infinity;
    let tokens = 0;
    const over = chunks.findIndex((text) => (tokens += count(text)) > limit);
    return over === -1 ? chunks : chunks.slice(0, over);
  }

  #counted(text: string) {
    const { model, messages } = this.#body;
    const seen = lookAt(model, messages);
    const prompt =
      countPrompt(messages.map(({ content }) => count(textOf(content)))) + ('tokens' in seen ? seen.tokens : 0);
    const completion = Math.max(1, count(text));
    return {
      prompt_tokens: prompt,
      completion_tokens: completion,
      total_tokens: prompt + completion,
      prompt_tokens_details: { cached_tokens: 0 },
      completion_tokens_details: { reasoning_tokens: 0 },
    };
  }

  #frame() {
    return { id: 'chatcmpl-fake', object: 'chat.completion.chunk', created: 1_700_000_000, model: this.#body.model };
  }

  /** As OpenAI sends a call: its name first, then its arguments in pieces. */
  async #call(index: number, { id, name, arguments: pieces }: NonNullable<Scenario['calls']>[number]): Promise<void> {
    const begun = { ...(id === undefined ? {} : { id }), type: 'function', function: { name, arguments: '' } };
    await this.#chunk({ tool_calls: [{ index, ...begun }] });
    for (const piece of pieces) await this.#chunk({ tool_calls: [{ index, function: { arguments: piece } }] });
  }

  #logprobs(text: string): object | null {
    const { logprob } = this.#scenario;
    if (logprob === undefined || this.#body.logprobs !== true) return null;
    return { content: [{ token: text, logprob, bytes: [...Buffer.from(text)], top_logprobs: [] }], refusal: null };
  }

  #chunk(delta: object, finishReason: string | null = null, logprobs: object | null = null): Promise<void> {
    return this.#event({
      ...this.#frame(),
      choices: [{ index: 0, delta, finish_reason: finishReason, logprobs }],
      usage: this.#scenario.usageAlong === true ? (this.#scenario.usage ?? null) : null,
    });
  }

  async #event(data: unknown): Promise<void> {
    const event = `data: ${typeof data === 'string' ? data : JSON.stringify(data)}\n\n`;
    const { splitBytes } = this.#scenario;
    if (splitBytes === undefined) return void this.#response.write(event);
    const bytes = Buffer.from(event);
    for (let at = 0; at < bytes.length; at += splitBytes) {
      this.#response.write(bytes.subarray(at, at + splitBytes));
      await nextTurn();
    }
  }
}

function chunksOf({ chunks = GREETING }: Scenario): readonly string[] {
  if (!('count' in chunks)) return chunks;
  const { count, text, open, close } = chunks;
  const repeated = Array.from({ length: count }, (_, n) => text.replaceAll('{n}', String(n + 1)));
  return [...(open === undefined ? [] : [open]), ...repeated, ...(close === undefined ? [] : [close])];
}

/** All that was written, to be counted. */
function writtenOf({ calls = [], refusal = [] }: Scenario, sent: readonly string[]): string {
  return [...sent, ...refusal, ...calls.flatMap((call) => [call.name, ...call.arguments])].join('');
}

/** The text of a message, which may be in parts or none at all. */
export function textOf(content: unknown): string {
  if (typeof content === 'string') return content;
  if (content === null || content === undefined) return '';
  if (!Array.isArray(content)) return JSON.stringify(content);
  return (content as readonly ContentPart[]).map((part) => (part.type === 'text' ? part.text : '')).join('');
}

/** An error like a provider's: it quotes the prompt, so a test can look for the words. */
function errorOf({ error }: Scenario) {
  return { message: 'the provider quotes the prompt here', type: null, param: null, code: null, ...error };
}

const counts = new Map<string, number>();

/** Counts are remembered, because a bench sends the same texts thousands of times and measures on the same cores. */
function count(text: string): number {
  const known = counts.get(text);
  if (known !== undefined) return known;
  const tokens = countTokens(text, 'o200k_base');
  if (counts.size >= 10_000) counts.clear();
  counts.set(text, tokens);
  return tokens;
}
