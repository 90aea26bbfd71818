import { Socket } from 'node:net';

/**
 * A socket on which what is written in one turn of the loop leaves in one packet. The driver hands in each statement by
 * itself, and each would be a system call here and a waking of the server there. Over TLS the socket below is taken
 * over, and they leave one by one.
 */
export function openPacketSocket(): Socket {
  const socket = new Socket();
  // `connect` puts the socket's own `write` back.
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
      // After the promises of this turn of the loop: what they begin goes along.
      process.nextTick(() => {
        holding = false;
        socket.uncork();
      });
    }
    return write(...args);
  };
}
