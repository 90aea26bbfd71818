import { EventSourceParserStream } from 'eventsource-parser/stream';

/**
 * Server-sent events of an answer to `fetch`, which unlike EventSource can carry a key. `data` is parsed JSON.
 * @param onAlive also told of the comments by which a server that has nothing to say shows that it is there.
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
