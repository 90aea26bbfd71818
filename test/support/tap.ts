import { connect, createServer, type Server, type Socket } from 'node:net';

/**
 * A proxy that counts what a client sends to a server. It reads the protocol on the wire, so nothing in the product
 * counts for the test.
 */
export interface Tap {
  readonly url: string;
  /** What was sent since the last call. */
  take(): string[];
  close(): Promise<void>;
}

/** Counts statements sent to PostgreSQL: those of the simple protocol by their text, prepared ones as `execute`. */
export function tapPostgres(url: string): Promise<Tap> {
  return open(url, 5432, () =>
    messages((type, body) => (type === 'Q' ? [textsOf(body)[0] ?? ''] : type === 'E' ? ['execute'] : [])),
  );
}

/** Records what PostgreSQL is asked to prepare: `name text`. */
export function tapPrepared(url: string): Promise<Tap> {
  return open(url, 5432, () => messages((type, body) => (type === 'P' ? [textsOf(body).slice(0, 2).join(' ')] : [])));
}

function messages(hear: (type: string, body: Buffer) => string[]): Read {
  let started = false;
  return (bytes) => {
    // The first message has a length and no type.
    if (!started) {
      if (bytes.length < 4 || bytes.length < bytes.readInt32BE(0)) return null;
      started = true;
      return { length: bytes.readInt32BE(0), texts: [] };
    }
    if (bytes.length < 5 || bytes.length < bytes.readInt32BE(1) + 1) return null;
    const length = bytes.readInt32BE(1) + 1;
    return { length, texts: hear(String.fromCharCode(bytes[0] ?? 0), bytes.subarray(5, length)) };
  };
}

/** Splits texts that each end with a zero byte. */
function textsOf(body: Buffer): string[] {
  return body.toString('utf8').split('\0');
}

/** Counts the commands sent to Redis, by name. */
export function tapRedis(url: string): Promise<Tap> {
  return open(url, 6379, () => (bytes) => {
    const line = (from: number) => {
      const end = bytes.indexOf('\r\n', from);
      return end < 0 ? null : { text: bytes.toString('utf8', from, end), next: end + 2 };
    };
    const head = line(0);
    if (head === null) return null;
    let at = head.next;
    let name = '';
    for (let i = 0; i < Number(head.text.slice(1)); i += 1) {
      const size = line(at);
      if (size === null) return null;
      const end = size.next + Number(size.text.slice(1));
      if (bytes.length < end + 2) return null;
      if (i === 0) name = bytes.toString('utf8', size.next, end).toUpperCase();
      at = end + 2;
    }
    return { length: at, texts: [name] };
  });
}

/**
 * Reads one message.
 * @returns null until the bytes hold a whole message.
 */
type Read = (bytes: Buffer) => { length: number; texts: string[] } | null;

async function open(url: string, defaultPort: number, reader: () => Read): Promise<Tap> {
  const target = new URL(url);
  let heard: string[] = [];
  const sockets = new Set<Socket>();
  const server: Server = createServer((client) => {
    const upstream = connect(Number(target.port || defaultPort), target.hostname);
    const read = reader();
    let bytes = Buffer.alloc(0);
    client.on('data', (data: Buffer) => {
      upstream.write(data);
      bytes = Buffer.concat([bytes, data]);
      for (let message = read(bytes); message !== null && bytes.length > 0; message = read(bytes)) {
        heard.push(...message.texts);
        bytes = bytes.subarray(message.length);
      }
    });
    upstream.on('data', (data: Buffer) => client.write(data));
    for (const [one, other] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      sockets.add(one);
      one.setNoDelay(true);
      one.on('error', () => {});
      one.once('close', () => {
        sockets.delete(one);
        other.destroy();
      });
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const tapped = new URL(url);
  tapped.hostname = '127.0.0.1';
  tapped.port = String(typeof address === 'object' && address !== null ? address.port : 0);
  return {
    url: tapped.href,
    take() {
      const taken = heard;
      heard = [];
      return taken;
    },
    async close() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
