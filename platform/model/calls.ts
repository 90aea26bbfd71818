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
  /** What came of calls before their names: some providers send the id first, or the arguments. */
  readonly #nameless: CallPart[] = [];

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
    if (at >= MOST_CALLS) return null;
    const whole = this.#joined(part);
    const name = fitting(whole.name);
    if (name === '') return null;
    const begun = { id: whole.id ?? `call_${randomUUID().replaceAll('-', '').slice(0, 24)}`, name, arguments: '' };
    begun.arguments = fitting(whole.arguments);
    this.#calls.push(begun);
    this.#indexes.push(part.index);
    return { index: at, ...begun };
  }

  /** @returns the part with what came before it of a call that has no name yet. What still has none is kept. */
  #joined(part: CallPart): CallPart {
    const at = this.#nameless.findIndex((other) => isSameCall(other, part));
    const [before] = at < 0 ? [] : this.#nameless.splice(at, 1);
    const whole =
      before === undefined ? part : { ...part, id: part.id ?? before.id, arguments: before.arguments + part.arguments };
    if (whole.name === '' && this.#nameless.length < MOST_CALLS) this.#nameless.push(whole);
    return whole;
  }

  /** @returns the place of a part's call; that behind the last for a new one. */
  #find(part: CallPart): number {
    const { index, id, name } = part;
    const last = this.#calls.length - 1;
    if (id !== null) {
      const same = this.#calls.findIndex((call) => call.id === id);
      if (same >= 0) return same;
      // Another id is another call, although some providers give all of them one index.
      if (name !== '') return last + 1;
    }
    if (index !== null) {
      const known = this.#indexes.lastIndexOf(index);
      const call = this.#calls[known];
      return call === undefined || isAnother(part, call) ? last + 1 : known;
    }
    return name === '' ? Math.max(0, last) : last + 1;
  }
}

/**
 * Whether a part with a name begins another call, although nothing but its index says which one it is of: Gemini gives
 * all calls the index 0 and no id, while others repeat a call's name in each of its parts.
 */
function isAnother(part: CallPart, call: ToolCall): boolean {
  if (part.id !== null || part.name === '' || call.arguments === '') return false;
  return part.name !== call.name || (part.arguments.trimStart().startsWith('{') && isWhole(call.arguments));
}

function isWhole(json: string): boolean {
  if (!json.trimEnd().endsWith('}')) return false;
  try {
    JSON.parse(json);
    return true;
  } catch {
    return false;
  }
}

function isSameCall(a: CallPart, b: CallPart): boolean {
  return a.id !== null && b.id !== null ? a.id === b.id : a.index === b.index;
}
