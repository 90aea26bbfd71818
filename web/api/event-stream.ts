import { EventSourceParserStream } from 'eventsource-parser/stream';

/**
 * Reads server-sent events from a response of `fetch`, which can send a key, as EventSource cannot. `data` is parsed
 * JSON.
 * @param onAlive called for comments too: a server without news sends them to show that it is there.
 */
export async function* readEvents(
  response: Response,
  onAlive: () => void = () => {},
): AsyncGenerator<{ id: string; event: string; data: unknown }> {
  if (response.body === null) return;
  const events = response.body
    .pipeThrough(new TextDecoderStream())
    .pipeThrough(new EventSourceParserStream({ onComment: onAlive }));
  const reader = events.getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      onAlive();
      yield { id: value.id ?? '', event: value.event ?? '', data: JSON.parse(value.data) };
    }
  } finally {
    await reader.cancel().catch(() => {});
  }
}
