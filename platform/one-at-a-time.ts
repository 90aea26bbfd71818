import type { RequestListener } from 'node:http';
import type { Socket } from 'node:net';

/** Requests of one connection that may wait for the one before them. Browsers and proxies let none wait. */
const MOST_WAITING = 16;

/**
 * Begins a request when the answer before it on its connection has left, and cuts off who asks on and on without
 * reading. Node by itself begins all that arrive together, 1,500 in 64 KB, keeps their answers in memory until they are
 * read, and does not tell those still waiting that their connection has gone, so that the files they send stay open for
 * ever.
 */
export function oneAtATime(listener: RequestListener): RequestListener {
  const waiting = new WeakMap<Socket, number>();
  return (request, response) => {
    const { socket } = request;
    // What else was in the packet of one that has been cut off.
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
