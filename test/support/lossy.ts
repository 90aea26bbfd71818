import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

/** A way to the service that loses connections. */
export interface Lossy {
  readonly url: string;
  /** Cuts the connections of all first tries that wait for their answers. */
  cut(): void;
  /** Connections that were cut so far. */
  readonly cuts: () => number;
  close(): Promise<void>;
}

const RETRY_COUNT = /x-stainless-retry-count: (\d)/i;

/**
 * Lets nothing come back to a first try of a client of OpenAI's, until its connection is cut. Retries pass.
 * @param options.keepsHeader false: the service is not told which are retries.
 */
export async function openLossy(target: string, { keepsHeader }: { keepsHeader: boolean }): Promise<Lossy> {
  const { hostname, port } = new URL(target);
  const open = new Set<Socket>();
  const first = new Set<() => void>();
  let cuts = 0;
  const server = createServer((near) => {
    const far = connect(Number(port), hostname);
    let isLost = false;
    const ends = () => [near, far].forEach((socket) => socket.destroy());
    for (const socket of [near, far]) open.add(socket.on('error', ends).on('close', ends));
    near.on('data', (bytes) => {
      const text = bytes.toString('latin1');
      const count = RETRY_COUNT.exec(text)?.[1];
      far.write(keepsHeader ? bytes : Buffer.from(text.replace(RETRY_COUNT, 'x-stainless-retry-count: 0'), 'latin1'));
      if (count !== '0' || isLost) return;
      isLost = true;
      first.add(ends);
    });
    far.on('data', (bytes) => {
      if (!isLost) near.write(bytes);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    cut() {
      cuts += first.size;
      for (const ends of first) ends();
      first.clear();
    },
    cuts: () => cuts,
    close: () => {
      for (const socket of open) socket.destroy();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}
