import type { RequestListener } from 'node:http';
import type { Socket } from 'node:net';

/** Requests of one connection that may wait for the one before them. Browsers and proxies let none wait. */
const MOST_WAITING = 16;

/**
 * Begins a request only when the answer before it on its connection has left, and cuts off a client that keeps asking
 * without reading. Node alone begins all requests that arrive together (1,500 in 64 KB) and keeps their answers in
 * memory until they are read. It also does not tell waiting ones that their connection has gone, so that the files they
 * send would stay open for ever.
 */
export function oneAtATime(listener: RequestListener): RequestListener {
  const waiting = new WeakMap<Socket, number>();
  return (request, response) => {
    const { socket } = request;
    // The packet of a connection that has been cut off may hold further requests.
    if (socket.destroyed) return;
    if (response.socket !== null) {
      listener(request, response);
      return;
    }
    const before = waiting.get(socket) ?? 0;
    if (before >= MOST_WAITING) {
      socket.destroy();
      return;
    }
    waiting.set(socket, before + 1);
    response.once('socket', () => {
      waiting.set(socket, (waiting.get(socket) ?? 1) - 1);
      if (!socket.destroyed) listener(request, response);
    });
  };
}
