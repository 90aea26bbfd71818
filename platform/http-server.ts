import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http';
import type { Socket } from 'node:net';
import { oneAtATime } from './one-at-a-time.ts';

export interface ServerLimits {
  /** Open connections, whoever holds them. */
  readonly mostConnections: number;
  /** How long output may wait for a peer that takes none of it. */
  readonly stalledAfterMs?: number | undefined;
  /** How long a request's headers may take, from the opening of its connection or the end of the request before. */
  readonly headersWithinMs?: number | undefined;
}

/**
 * What every answer carries, so that a browser keeps no copy of it, puts it into no frame and runs nothing in it. A
 * page or a file that may do more says so itself.
 */
export const ANSWER_HEADERS = {
  'X-Content-Type-Options': 'nosniff',
  'Referrer-Policy': 'no-referrer',
  'Cache-Control': 'no-store',
  'Content-Security-Policy': "default-src 'none'; frame-ancestors 'none'",
  'X-Frame-Options': 'DENY',
  'Cross-Origin-Resource-Policy': 'same-origin',
} as const;

/** Longer than a phone takes from one cell to the next. */
const STALLED_AFTER_MS = 30_000;
/** What a slow peer must take of output that was handed to the system as one, where no part of it is told. */
const LEAST_BYTES_PER_MS = 16;
const HEADERS_WITHIN_MS = 10_000;

/**
 * An HTTP server that no peer can hold up: whoever sends slowly, reads nothing, asks without reading or opens too many
 * connections loses its own.
 */
export function createBoundedServer(
  listener: RequestListener,
  { mostConnections, stalledAfterMs = STALLED_AFTER_MS, headersWithinMs = HEADERS_WITHIN_MS }: ServerLimits,
): Server {
  const answering = new Map<Socket, Output>();
  const server = createServer(
    {
      // Limits only the request itself, which is small. A plain send may wait 120 s for its answer.
      requestTimeout: 30_000,
      headersTimeout: headersWithinMs,
      connectionsCheckingInterval: 1_000,
      // Longer than the 60 s for which most balancers keep an idle connection, so that they never use a closed one.
      keepAliveTimeout: 75_000,
      // Node's refusal has no body. The listener refuses in its own shape what it needs a Host for.
      requireHostHeader: false,
    },
    oneAtATime((request, response) => {
      const { socket } = request;
      const output = { request, left: 0, since: performance.now() };
      answering.set(socket, output);
      response.once('close', () => {
        // The next request of the connection may have begun already.
        if (answering.get(socket) === output) answering.delete(socket);
      });
      listener(request, response);
    }),
  );
  const watch = setInterval(() => cutStalled(answering, stalledAfterMs), Math.min(1_000, stalledAfterMs / 4)).unref();
  server.once('close', () => clearInterval(watch));
  // Whoever still sends a request is as good as idle: a body may take as long as 4,000 slow ones need to keep all out.
  boundConnections(server, mostConnections, (socket) => answering.get(socket)?.request.complete !== true);
  return server;
}

interface Output {
  readonly request: IncomingMessage;
  /** Bytes that have left the process. */
  left: number;
  /** When the last of them did, or when there was nothing to send. */
  since: number;
}

/**
 * A socket's own timeout would not do: it begins anew with every byte that comes in, so that who reads nothing needs
 * only to send a line break now and then.
 */
function cutStalled(answering: Map<Socket, Output>, stalledAfterMs: number): void {
  const now = performance.now();
  for (const [socket, output] of answering) {
    const waiting = socket.writableLength;
    const left = socket.bytesWritten - waiting;
    if (waiting === 0 || left > output.left) Object.assign(output, { left, since: now });
    else if (now - output.since > Math.max(stalledAfterMs, waiting / LEAST_BYTES_PER_MS)) socket.destroy();
  }
}

/**
 * Past `most`, a new connection takes the place of an idle one of the address that has most, if that has more than the
 * newcomer's: a stranger who takes all places keeps nobody else out. Behind a proxy all connections have one address,
 * which may have all of them; then the newcomer is refused.
 */
function boundConnections(server: Server, most: number, isIdle: (socket: Socket) => boolean): void {
  /** By address, the oldest first. */
  const open = new Map<string, Set<Socket>>();
  let count = 0;
  const makeRoomFor = (address: string): boolean => {
    const largest = [...open.values()].reduce((a, b) => (b.size > a.size ? b : a), new Set<Socket>());
    if (largest.size <= (open.get(address)?.size ?? 0) + 1) return false;
    const idle = [...largest].find(isIdle);
    idle?.destroy();
    return idle !== undefined;
  };
  server.on('connection', (socket: Socket) => {
    const address = networkOf(socket.remoteAddress ?? '');
    if (count >= most && !makeRoomFor(address)) {
      socket.destroy();
      return;
    }
    const ofAddress = open.get(address) ?? new Set();
    open.set(address, ofAddress.add(socket));
    count += 1;
    socket.once('close', () => {
      count -= 1;
      ofAddress.delete(socket);
      if (ofAddress.size === 0 && open.get(address) === ofAddress) open.delete(address);
    });
  });
}

/** Whoever has an IPv6 address has all 2^64 of its network. */
export function networkOf(address: string): string {
  return address.includes('.') ? address : (address.split('::')[0] ?? '').split(':').slice(0, 4).join(':');
}
