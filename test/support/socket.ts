import { once } from 'node:events';
import { connect } from 'node:net';

/**
 * Sends bytes as they are, which no HTTP client would, and reads until the service closes the connection.
 * @returns the whole answer as text; its status, 0 for none.
 */
export async function sendBytes(url: string, ...bytes: (string | Buffer)[]): Promise<{ status: number; text: string }> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  let text = '';
  socket.setEncoding('utf8').on('data', (part: string) => {
    text += part;
  });
  socket.on('error', () => {});
  await once(socket, 'connect');
  for (const part of bytes) socket.write(part);
  if (!socket.destroyed) await once(socket, 'close');
  return { status: Number(/^HTTP\/1\.1 (\d{3})/.exec(text)?.[1] ?? '0'), text };
}
