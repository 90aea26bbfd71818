import { expect, test } from '@jest/globals';
import { createServer, Socket, type AddressInfo } from 'node:net';
import { openPacketSocket } from '../../db/driver/packet-socket.ts';

/**
 * Connects, sends three texts in one turn of the event loop and a fourth in the next.
 * @returns how many texts each write carried, and what arrived.
 */
async function talk(socket: Socket): Promise<{ writes: number[]; arrived: string }> {
  const writes: number[] = [];
  const server = createServer();
  const arrived = new Promise<string>((resolve) =>
    server.once('connection', (client) => {
      let text = '';
      client
        .setEncoding('utf8')
        .on('data', (data) => {
          text += String(data);
        })
        .once('end', () => {
          client.end();
          resolve(text);
        });
    }),
  );
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  await new Promise<void>((resolve) => socket.connect((server.address() as AddressInfo).port, '127.0.0.1', resolve));
  const [writeOne, writeMany] = [socket._write.bind(socket), socket._writev?.bind(socket)];
  socket._write = (data, encoding, done) => {
    writes.push(1);
    writeOne(data, encoding, done);
  };
  socket._writev = (chunks, done) => {
    writes.push(chunks.length);
    writeMany?.(chunks, done);
  };
  socket.write('begin;');
  socket.write(Buffer.from('select;'));
  await Promise.resolve();
  socket.write('commit;', 'utf8');
  await new Promise(setImmediate);
  await new Promise<void>((resolve) => {
    socket.write('alone;', () => {
      resolve();
    });
  });
  socket.end();
  const text = await arrived;
  await new Promise((resolve) => server.close(resolve));
  return { writes, arrived: text };
}

test('statements that are begun together leave in one write, in their order, and a later one by itself', async () => {
  expect(await talk(openPacketSocket())).toEqual({ writes: [3, 1], arrived: 'begin;select;commit;alone;' });
});

test('without it each leaves by itself', async () => {
  const { writes } = await talk(new Socket());
  expect(writes.length).toBeGreaterThan(2);
});
