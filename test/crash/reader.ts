import { createParser } from 'eventsource-parser';
import { setTimeout as sleep } from 'node:timers/promises';
import type { SeenEvent } from '../support/events.ts';
import type { Person } from '../support/stack.ts';

const ENDINGS: ReadonlySet<string> = new Set(['completed', 'stopped', 'failed']);

/**
 * A correct client: it asks once and reads the stream. After each lost connection it resumes from its last event, until
 * the ending. It keeps every event of every connection, in order.
 */
export class LivingReader {
  readonly events: SeenEvent[] = [];
  /** How often the connection was lost and made again. */
  returns = 0;
  /**
   * Resolves to all events when the ending has come.
   * @throws what refused the request, and when `close` came first.
   */
  readonly ended: Promise<readonly SeenEvent[]>;
  readonly #person: Person;
  readonly #turnId: string;
  readonly #gone = new AbortController();
  readonly #wanted = new Set<{ isEnough: (events: readonly SeenEvent[]) => boolean; resolve: () => void }>();

  /** @param ask sends the question, or watches a turn; the answer is a stream. */
  constructor(
    person: Person,
    turnId: string,
    ask: (headers: Record<string, string>, signal: AbortSignal) => Promise<Response>,
  ) {
    this.#person = person;
    this.#turnId = turnId;
    this.ended = this.#run(ask);
    this.ended.catch(() => {});
  }

  /** Waits until the reader has seen enough. */
  seen(isEnough: (events: readonly SeenEvent[]) => boolean): Promise<void> {
    if (isEnough(this.events)) return Promise.resolve();
    const seen = new Promise<void>((resolve) => {
      this.#wanted.add({ isEnough, resolve });
    });
    return Promise.race([
      seen,
      this.ended.then(() => {
        throw new Error(`the turn ended before that was seen: ${JSON.stringify(this.events)}`);
      }),
    ]);
  }

  close(): void {
    this.#gone.abort();
  }

  async #run(
    ask: (headers: Record<string, string>, signal: AbortSignal) => Promise<Response>,
  ): Promise<readonly SeenEvent[]> {
    let response = await ask({ accept: 'text/event-stream' }, this.#gone.signal);
    if (!response.ok) throw new Error(`refused: ${response.status} ${await response.text()}`);
    for (;;) {
      await this.#read(response).catch(() => {});
      this.#gone.signal.throwIfAborted();
      if (ENDINGS.has(this.events.at(-1)?.event ?? '')) return this.events;
      response = await this.#return();
    }
  }

  async #return(): Promise<Response> {
    this.returns += 1;
    for (;;) {
      const lastEventId = this.events.at(-1)?.id;
      try {
        const response = await this.#person.raw(
          'GET',
          `/api/chat/turns/${this.#turnId}/events`,
          undefined,
          lastEventId === undefined ? {} : { 'last-event-id': lastEventId },
          this.#gone.signal,
        );
        if (response.ok) return response;
        await response.body?.cancel();
      } catch {
        this.#gone.signal.throwIfAborted();
      }
      await sleep(50);
    }
  }

  async #read(response: Response): Promise<void> {
    const parser = createParser({
      onEvent: ({ id, event, data }) => {
        this.#take({ id: id ?? '', event: event ?? '', data: JSON.parse(data) });
      },
    });
    const decoder = new TextDecoder();
    for await (const bytes of response.body ?? []) parser.feed(decoder.decode(bytes as Uint8Array, { stream: true }));
  }

  #take(event: SeenEvent): void {
    this.events.push(event);
    for (const wanted of this.#wanted) {
      if (!wanted.isEnough(this.events)) continue;
      this.#wanted.delete(wanted);
      wanted.resolve();
    }
  }
}

/** Faults in what a reader was shown, as sentences; none when the events are right from first to last. */
export function faultsOf(
  events: readonly SeenEvent[],
  stored: { readonly state: string; readonly content: string },
): string[] {
  const faults: string[] = [];
  let [text, attempt, entry] = ['', 0, 0];
  for (const [i, { id, event, data }] of events.entries()) {
    const [ofAttempt = 0, number = 0] = id.split('-').map(Number);
    if ((event === 'accepted') !== (i === 0)) faults.push(`${event} is event ${i + 1}`);
    if (ENDINGS.has(event) && i !== events.length - 1) faults.push(`${event} is not the last event`);
    if (event === 'restarted') text = '';
    else if (ofAttempt < attempt || (ofAttempt === attempt && number <= entry))
      faults.push(`${id} comes after ${attempt}-${entry}`);
    if (event === 'delta') {
      // Only the first attempt begins without being announced.
      if (ofAttempt !== attempt && attempt > 0)
        faults.push(`text of attempt ${ofAttempt} follows that of attempt ${attempt} without restarted`);
      if (data.attempt !== ofAttempt) faults.push(`${id} says attempt ${data.attempt}`);
      text += data.text;
    }
    if (event !== 'accepted') [attempt, entry] = [ofAttempt, number];
  }
  const last = events.at(-1);
  if (last?.event !== stored.state) faults.push(`it ended with ${last?.event}, the turn is ${stored.state}`);
  else if ((last.data.turn.content ?? '') !== stored.content)
    faults.push('the ending tells another answer than is stored');
  if (text !== stored.content)
    faults.push(`the reader has ${JSON.stringify(text)}, stored is ${JSON.stringify(stored.content)}`);
  return faults;
}
