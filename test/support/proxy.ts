import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';

/** `requests` go to the service, `answers` come back. */
type Direction = 'requests' | 'answers';

/** A path to one service for one test, which can be cut without hurting others who use the service. */
export interface Proxy {
  /** The `host:port` to use in place of the service's. */
  readonly address: string;
  /** Connections stay open and nothing moves, as on a network that loses packets; `heal` lets what waits go on. */
  stall(...directions: Direction[]): void;
  /** Connections break and new ones are refused, as when the service is down. */
  cut(): Promise<void>;
  /**
   * The next transaction of PostgreSQL that says all these words, the last one with its last packet, is obeyed; the
   * answer to that packet is lost, as all connections are.
   * @returns when the server has committed and the connections are cut.
   */
  loseAnswerTo(...words: string[]): Promise<void>;
  heal(): Promise<void>;
  close(): Promise<void>;
}

/** @param target `host:port`, or a URL with both. */
export async function openProxy(target: string): Promise<Proxy> {
  const { hostname, port } = new URL(target.includes('://') ? target : `tcp://${target}`);
  const pairs = new Set<readonly [Socket, Socket]>();
  const gates: Record<Direction, Gate> = { requests: new Gate(), answers: new Gate() };
  let loss: { readonly words: readonly string[]; readonly lost: () => void } | null = null;

  function join(client: Socket): void {
    const service = connect(Number(port), hostname);
    const pair = [client, service] as const;
    pairs.add(pair);
    const end = () => {
      pairs.delete(pair);
      client.destroy();
      service.destroy();
    };
    for (const socket of pair) socket.setNoDelay(true).on('error', end).on('close', end);
    let losing: (() => void) | null = null;
    let said = Buffer.alloc(0);
    carry(client, service, gates.requests, (packet) => {
      said = Buffer.concat([said, packet]);
      if (loss?.words.every((word) => said.includes(word)) === true) {
        losing = loss.lost;
        loss = null;
      }
      return true;
    });
    carry(service, client, gates.answers, (packet) => {
      if (packet.subarray(-IDLE.length).equals(IDLE)) {
        losing?.();
        said = Buffer.alloc(0);
      }
      return losing === null;
    });
  }

  let server = await listen(join, 0);
  const address = server.address() as AddressInfo;
  const cut = async () => {
    const closed = server.listening ? once(server.close(), 'close') : Promise.resolve();
    for (const [client, service] of pairs) {
      client.resetAndDestroy();
      service.destroy();
    }
    await closed;
  };
  return {
    address: `127.0.0.1:${address.port}`,
    cut,
    close: cut,
    loseAnswerTo: (...words) =>
      new Promise<void>((resolve, reject) => {
        loss = { words, lost: () => void cut().then(resolve, reject) };
      }),
    stall(...directions) {
      for (const direction of directions.length === 0 ? (['requests', 'answers'] as const) : directions)
        gates[direction].shut();
    },
    async heal() {
      for (const gate of Object.values(gates)) gate.open();
      if (!server.listening) server = await listen(join, address.port);
    },
  };
}

/** The whole message: other statements hold the word, too. */
export const COMMIT = 'Q\0\0\0\u000bcommit\0';

/** `target` with the proxy's host and port. */
export function through(proxy: Proxy, target: string): string {
  const url = new URL(target);
  url.host = proxy.address;
  return url.href;
}

class Gate {
  #opened: Promise<void> | null = null;
  #open: () => void = () => {};

  shut(): void {
    this.#opened ??= new Promise((resolve) => {
      this.#open = resolve;
    });
  }

  open(): void {
    this.#opened = null;
    this.#open();
  }

  /** Passes data on at once while the gate is open, so that nothing is reordered. */
  async pass(): Promise<void> {
    while (this.#opened !== null) await this.#opened;
  }
}

/** PostgreSQL's "ready for query", in no transaction: what ended the one before has been done. */
const IDLE = Buffer.from([0x5a, 0, 0, 0, 5, 0x49]);

function carry(from: Socket, to: Socket, gate: Gate, passes: (packet: Buffer) => boolean): void {
  let last: Promise<void> = Promise.resolve();
  from.on('data', (packet: Buffer) => {
    last = last
      .then(() => gate.pass())
      .then(() => {
        if (passes(packet) && !to.destroyed) to.write(packet);
      });
  });
  from.on('end', () => {
    void last.then(() => to.end());
  });
}

async function listen(join: (client: Socket) => void, port: number): Promise<Server> {
  const server = createServer({ allowHalfOpen: true }, join).listen(port, '127.0.0.1');
  await once(server, 'listening');
  return server;
}
