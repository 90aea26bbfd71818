import { randomUUID } from 'node:crypto';
import type { CallDelta, ToolCall } from '../../domain/choice.ts';
import type { CallPart } from './dialect.ts';

/** More calls than any honest answer has; OpenAI takes 128 tools. */
const MOST_CALLS = 256;

/**
 * The calls of an answer as their parts make them up. Providers differ in how they name a part's call: by its index, by
 * its id, or by its order alone (docs/providers.md). Readers get an index without holes, and an id always.
 */
export class Calls {
  readonly #calls: { id: string; name: string; arguments: string }[] = [];
  /** The provider's index of each. */
  readonly #indexes: (number | null)[] = [];

  get all(): readonly ToolCall[] {
    return this.#calls;
  }

  /**
   * Takes parts of calls that come in a stream.
   * @param fitting cuts what is beyond the answer's bound.
   */
  take(parts: readonly CallPart[], fitting: (text: string) => string): CallDelta[] {
    return parts.flatMap((part) => this.#take(part, fitting) ?? []);
  }

  #take(part: CallPart, fitting: (text: string) => string): CallDelta | null {
    const at = this.#find(part);
    const call = this.#calls[at];
    if (call !== undefined) {
      const more = fitting(part.arguments);
      call.arguments += more;
      return more === '' ? null : { index: at, arguments: more };
    }
    const name = fitting(part.name);
    if (name === '' || at >= MOST_CALLS) return null;
    const begun = { id: part.id ?? `call_${randomUUID().replaceAll('-', '').slice(0, 24)}`, name, arguments: '' };
    begun.arguments = fitting(part.arguments);
    this.#calls.push(begun);
    this.#indexes.push(part.index);
    return { index: at, ...begun };
  }

  /** @returns the place of a part's call; that behind the last for a new one. */
  #find({ index, id, name }: CallPart): number {
    const last = this.#calls.length - 1;
    if (id !== null) {
      const same = this.#calls.findIndex((call) => call.id === id);
      if (same >= 0) return same;
      // Another id is another call, although some providers give all of them one index.
      if (name !== '') return last + 1;
    }
    if (index !== null) {
      const known = this.#indexes.lastIndexOf(index);
      return known >= 0 ? known : last + 1;
    }
    return name === '' ? Math.max(0, last) : last + 1;
  }
}
