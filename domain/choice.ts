/** One call of a tool, as the model put it. `arguments` is text of the model's, and may be broken JSON. */
export interface ToolCall {
  readonly id: string;
  readonly name: string;
  readonly arguments: string;
}

/** How likely a token was, in the words of the chat completions API. */
export interface TokenLogprob {
  readonly token: string;
  readonly logprob: number;
  readonly bytes: readonly number[] | null;
  readonly top_logprobs: readonly Omit<TokenLogprob, 'top_logprobs'>[];
}

export interface Logprobs {
  readonly content?: readonly TokenLogprob[];
  readonly refusal?: readonly TokenLogprob[];
}

/** The next of a call. Its first delta has an id and a name; the others add to the arguments. */
export interface CallDelta {
  readonly index: number;
  readonly id?: string;
  readonly name?: string;
  readonly arguments?: string;
}

/** What a model adds to its answer. Nothing of it is empty. */
export interface ChoiceDelta {
  readonly content?: string;
  readonly refusal?: string;
  readonly calls?: readonly CallDelta[];
  readonly logprobs?: Logprobs;
}

/** All of a model's answer, for a caller who may be answered with more than text. */
export interface Choice {
  readonly content: string;
  readonly refusal: string;
  readonly calls: readonly ToolCall[];
  readonly logprobs: Logprobs | null;
}

/** @returns whether anything is added. */
export function saysSomething(delta: ChoiceDelta): boolean {
  return Object.values(delta).some((value) => value !== undefined);
}

/** The one delta that says all of an answer. */
export function deltaOf({ content, refusal, calls, logprobs }: Choice): ChoiceDelta {
  return {
    ...(content === '' ? {} : { content }),
    ...(refusal === '' ? {} : { refusal }),
    ...(calls.length === 0 ? {} : { calls: calls.map((call, index) => ({ index, ...call })) }),
    ...(logprobs === null ? {} : { logprobs }),
  };
}

/** What the model wrote beside the text of an answer, to be counted: its calls have a cost, too. */
export function textOfCalls({ calls }: Pick<Choice, 'calls'>): string {
  return calls.map((call) => `${call.name}${call.arguments}`).join('\n');
}

/** Deltas as lines of a turn's stream: whole lines may be joined and taken apart like text. */
export function encodeDelta(delta: ChoiceDelta): string {
  return saysSomething(delta) ? `${JSON.stringify(delta)}\n` : '';
}

/** @returns the deltas, where several that only add content are one. */
export function decodeDeltas(lines: string): ChoiceDelta[] {
  const deltas: ChoiceDelta[] = [];
  for (const line of lines.split('\n')) {
    if (line === '') continue;
    const delta = JSON.parse(line) as ChoiceDelta;
    const before = deltas.at(-1);
    if (before !== undefined && isContent(before) && isContent(delta))
      deltas[deltas.length - 1] = { content: (before.content ?? '') + (delta.content ?? '') };
    else deltas.push(delta);
  }
  return deltas;
}

function isContent({ content, refusal, calls, logprobs }: ChoiceDelta): boolean {
  return content !== undefined && refusal === undefined && calls === undefined && logprobs === undefined;
}

/** The text of an answer as people read it: a refusal is one, too. */
export function readableText({ content, refusal }: Pick<ChoiceDelta, 'content' | 'refusal'>): string {
  return `${content ?? ''}${refusal ?? ''}`;
}
