import { Socket } from 'node:net';

/**
 * A socket that sends everything written in one turn of the event loop as one packet. The driver writes each statement
 * by itself, which would cost one system call here and one wake-up of the server for each. TLS takes over the socket
 * below, so there each statement leaves by itself.
 */
export function openPacketSocket(): Socket {
  const socket = new Socket();
  // `connect` restores the socket's own `write`, so it is replaced afterwards.
  socket.once('connect', () => {
    holdWrites(socket);
  });
  return socket;
}

function holdWrites(socket: Socket): void {
  const write = socket.write.bind(socket) as (...args: unknown[]) => boolean;
  let holding = false;
  socket.write = (...args: unknown[]) => {
    if (!holding) {
      holding = true;
      socket.cork();
      // The tick comes after the promises of this turn of the loop, so that what they write is in the packet.
      process.nextTick(() => {
        holding = false;
        socket.uncork();
      });
    }
    return write(...args);
  };
}
