/** Who asks. */
export interface Person {
  /** From 0. */
  readonly number: number;
  readonly token: string;
}

/**
 * What one event of a stream means: text, that the text so far is dropped, or that the answer has ended with what it
 * was charged (null: the stream does not say).
 */
export interface StreamEvent {
  readonly text?: string;
  readonly restart?: boolean;
  readonly end?: { readonly tokens: number | null };
}

/** A service that answers a question by the same model. */
export interface Contender {
  readonly name: string;
  /** The names of the processes that do its work; the model and the bench itself are not among them. */
  readonly processes: readonly string[];
  /** @param chunks how many chunks the answer will have; the request asks for room for all of them. */
  request(
    question: string,
    person: Person,
    chunks: number,
  ): { url: string; headers: Record<string, string>; body: unknown };
  /** Whether this status means that there is no room at the moment. */
  isShed(status: number): boolean;
  /** @throws when the stream says that the answer failed. */
  read(event: string): StreamEvent;
}

export const MODEL = 'gpt-4.1-mini';
const NOTHING: StreamEvent = {};

/**
 * The most tokens that a chunk of the bench's answers counts, and the output tokens a turn may use without asking for
 * more.
 */
const TOKENS_A_CHUNK = 4;
const ROOM_UNASKED = 2_048;

/**
 * Turnkeeper's own API, streamed.
 * @param urls used alternately.
 */
export function turnkeeper(urls: readonly string[], processes: readonly string[]): Contender {
  let asked = 0;
  return {
    name: 'turnkeeper',
    processes,
    request(question, { token }, chunks) {
      asked += 1;
      const room = chunks * TOKENS_A_CHUNK;
      return {
        url: `${urls[asked % urls.length] ?? ''}/api/chat/send`,
        headers: { authorization: `Bearer ${token}`, accept: 'text/event-stream' },
        body: { message: question, model: MODEL, ...(room > ROOM_UNASKED ? { maxOutputTokens: room } : {}) },
      };
    },
    // 503 is `overloaded`, or `unavailable`: Temporal has said nothing for 2 s.
    isShed: (status) => status === 503 || status === 429,
    read: readTurn,
  };
}

/** The Express handler of bare.ts, which streams the same events. */
export function bare(url: string, processes: readonly string[]): Contender {
  return {
    name: 'bare',
    processes,
    request: (question, { token }) => ({
      url: `${url}/send`,
      headers: { authorization: `Bearer ${token}` },
      body: { message: question },
    }),
    isShed: () => false,
    read: readTurn,
  };
}

/**
 * The model itself, or any gateway that speaks its protocol.
 * @param url ends in /v1.
 * @param options.key may contain `{n}`, which becomes the person's number, and `{token}`, the person's key for us.
 */
export function completions(
  name: string,
  url: string,
  { key, model = MODEL, processes = [] }: { key: string; model?: string; processes?: readonly string[] },
): Contender {
  return {
    name,
    processes,
    request: (question, { number, token }) => ({
      url: `${url}/chat/completions`,
      headers: { authorization: `Bearer ${key.replaceAll('{n}', String(number)).replaceAll('{token}', token)}` },
      body: {
        model,
        messages: [{ role: 'user', content: question }],
        stream: true,
        stream_options: { include_usage: true },
      },
    }),
    isShed: (status) => status === 429 || status === 503,
    read: readChunk,
  };
}

function readTurn(event: string): StreamEvent {
  const data = event.indexOf('\ndata: ');
  if (data < 0) return NOTHING;
  const name = /^event: (.+)$/m.exec(event.slice(0, data))?.[1];
  const value = JSON.parse(event.slice(data + 7)) as { text: string; turn: { usage?: { debitedTokens: number } } };
  if (name === 'delta') return { text: value.text };
  if (name === 'completed') return { end: { tokens: value.turn.usage?.debitedTokens ?? 0 } };
  if (name === 'accepted') return NOTHING;
  if (name === 'restarted') return { restart: true };
  throw new Error(`a turn was ${name ?? 'nothing'}: ${event.slice(0, 300)}`);
}

function readChunk(event: string): StreamEvent {
  if (!event.startsWith('data: ')) return NOTHING;
  if (event.startsWith('data: [DONE]')) return { end: { tokens: null } };
  const chunk = JSON.parse(event.slice(6)) as { error?: unknown; choices?: { delta?: { content?: string | null } }[] };
  if (chunk.error !== undefined) throw new Error(`the model failed: ${event.slice(0, 300)}`);
  const text = chunk.choices?.[0]?.delta?.content;
  return typeof text === 'string' ? { text } : NOTHING;
}
