import { createParser } from 'eventsource-parser';

export interface SeenEvent {
  readonly id: string;
  readonly event: string;
  readonly data: any;
}

/** Reads a stream to its end, or until `enough` says so (then the connection is closed). */
export async function readEvents(
  response: Response,
  enough: (seen: readonly SeenEvent[]) => boolean = () => false,
): Promise<SeenEvent[]> {
  const seen: SeenEvent[] = [];
  const parser = createParser({
    onEvent: ({ id, event, data }) => {
      seen.push({ id: id ?? '', event: event ?? '', data: JSON.parse(data) });
    },
  });
  const decoder = new TextDecoder();
  const reader = response.body?.getReader();
  if (reader === undefined) throw new Error('a stream has a body');
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return seen;
    parser.feed(decoder.decode(value, { stream: true }));
    if (enough(seen)) {
      await reader.cancel();
      return seen;
    }
  }
}

/** The text that a reader of the events shows in the end. */
export function textOf(events: readonly SeenEvent[], before = ''): string {
  return events.reduce(
    (text, { event, data }) => (event === 'restarted' ? '' : event === 'delta' ? text + data.text : text),
    before,
  );
}
