import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer, TLSSocket, type TlsOptions } from 'node:tls';

/** A door to one service that opens to TLS alone, as managed services have one. */
export interface TlsDoor {
  readonly port: number;
  /** Connections that came through, and those that were turned away: in the clear, or without what is asked for. */
  readonly counts: { readonly passed: number; readonly refused: number };
  close(): Promise<void>;
}

export interface TlsDoorOptions extends TlsOptions {
  /** `host:port`, or a URL with both: where the service listens in the clear. */
  readonly target: string;
  /** PostgreSQL's connections begin in the clear, by asking for TLS. */
  readonly asksFirst?: boolean;
}

export async function openTlsDoor({ target, asksFirst = false, ...tls }: TlsDoorOptions): Promise<TlsDoor> {
  const { hostname, port } = new URL(target.includes('://') ? target : `tcp://${target}`);
  const open = new Set<Socket>();
  const counts = { passed: 0, refused: 0 };
  const pass = (client: Socket) => {
    counts.passed += 1;
    const service = connect(Number(port), hostname);
    for (const socket of [client, service]) {
      open.add(socket);
      socket.setNoDelay(true).on('error', () => {});
      socket.on('close', () => {
        client.destroy();
        service.destroy();
        open.delete(socket);
      });
    }
    client.pipe(service).pipe(client);
  };
  const server = asksFirst
    ? createServer((raw) => {
        raw.on('error', () => {});
        raw.once('data', (asked: Buffer) => {
          if (!asked.equals(SSL_REQUEST)) {
            counts.refused += 1;
            raw.destroy();
            return;
          }
          raw.write('S');
          const secure = new TLSSocket(raw, { ...tls, isServer: true });
          secure.once('error', () => (counts.refused += 1));
          secure.once('secure', () => pass(secure));
        });
      })
    : createTlsServer(tls, pass).on('tlsClientError', () => (counts.refused += 1));
  server.on('connection', (socket: Socket) => {
    open.add(socket);
    socket.on('close', () => open.delete(socket));
  });
  await listening(server);
  return {
    port: (server.address() as AddressInfo).port,
    counts,
    async close() {
      const closed = once(server.close(), 'close');
      for (const socket of open) socket.destroy();
      await closed;
    },
  };
}

/** PostgreSQL's SSLRequest: eight bytes. */
const SSL_REQUEST = Buffer.from([0, 0, 0, 8, 4, 210, 22, 47]);

async function listening(server: Server): Promise<void> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
}
