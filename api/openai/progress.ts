import type { CallDelta, ChoiceDelta, Logprobs } from '../../domain/choice.ts';

/**
 * What of an answer a reader has, part by part. An answer that comes again from its beginning may come in other pieces:
 * only what the reader lacks is fresh.
 */
export class AnswerProgress {
  /** How much of each part has left, and how much has come since the answer began again. */
  readonly #sent = new Map<string, number>();
  #come = new Map<string, number>();

  /** Whether the reader has anything. */
  get hasBegun(): boolean {
    return this.#sent.size > 0;
  }

  /** The answer comes again. */
  again(): void {
    this.#come = new Map();
  }

  /** What of a delta the reader lacks; nothing of it is empty. */
  fresh({ content, refusal, calls, logprobs }: ChoiceDelta): ChoiceDelta {
    const [text, no] = [this.#part('content', content ?? ''), this.#part('refusal', refusal ?? '')];
    const more = (calls ?? []).flatMap((call) => this.#freshCall(call) ?? []);
    const likely = this.#freshLogprobs(logprobs ?? {});
    return {
      ...(text === '' ? {} : { content: text }),
      ...(no === '' ? {} : { refusal: no }),
      ...(more.length === 0 ? {} : { calls: more }),
      ...(likely === null ? {} : { logprobs: likely }),
    };
  }

  #freshCall({ index, id, name, arguments: given = '' }: CallDelta): CallDelta | null {
    const isNew = id !== undefined && this.#part(`call ${index}`, [id]).length > 0;
    const more = this.#part(`arguments ${index}`, given);
    if (isNew) return { index, id, name: name ?? '', arguments: more };
    return more === '' ? null : { index, arguments: more };
  }

  #freshLogprobs({ content = [], refusal = [] }: Logprobs): Logprobs | null {
    const [text, no] = [this.#part('logprobs', content), this.#part('logprobs of the refusal', refusal)];
    if (text.length === 0 && no.length === 0) return null;
    return { ...(text.length === 0 ? {} : { content: text }), ...(no.length === 0 ? {} : { refusal: no }) };
  }

  #part<Part extends string | readonly unknown[]>(name: string, part: Part): Part {
    if (part.length === 0) return part;
    const [come, sent] = [this.#come.get(name) ?? 0, this.#sent.get(name) ?? 0];
    this.#come.set(name, come + part.length);
    this.#sent.set(name, Math.max(sent, come + part.length));
    return part.slice(Math.max(0, sent - come)) as Part;
  }
}
