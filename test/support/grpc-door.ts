import { once } from 'node:events';
import { connect, createServer, type IncomingHttpHeaders, type ServerHttp2Stream } from 'node:http2';
import type { AddressInfo } from 'node:net';

/** A way to a gRPC server on which calls of one method fare badly, and all others as ever. */
export interface GrpcDoor {
  readonly address: string;
  /** Keeps calls of this method until `release`. @returns how many it has kept. */
  hold(method: string): { kept(): number; release(): void };
  /** Answers calls of this method with a gRPC code until `allow`. */
  refuse(method: string, code: number): { allow(): void };
  close(): Promise<void>;
}

/** @param target `host:port`, in the clear. */
export async function openGrpcDoor(target: string): Promise<GrpcDoor> {
  const service = connect(`http://${target}`);
  service.on('error', () => {});
  const held = new Map<string, (() => void)[]>();
  const refused = new Map<string, number>();
  const server = createServer();
  const sessions = new Set<{ destroy(): void }>();
  server.on('session', (session) => {
    sessions.add(session);
    session.on('error', () => {});
  });
  server.on('stream', (stream: ServerHttp2Stream, headers) => {
    stream.on('error', () => {});
    const method = String(headers[':path']).split('/').at(-1) ?? '';
    const code = refused.get(method);
    if (code !== undefined) {
      stream.respond({ ':status': 200, 'content-type': 'application/grpc', 'grpc-status': code }, { endStream: true });
      return;
    }
    const pass = () => forward(stream, headers);
    const waiting = held.get(method);
    if (waiting === undefined) pass();
    else waiting.push(pass);
  });

  function forward(stream: ServerHttp2Stream, headers: IncomingHttpHeaders): void {
    if (stream.destroyed) return;
    const asked = service.request(headers);
    asked.on('error', () => stream.destroyed || stream.close());
    asked.on('response', (answer) => {
      if (stream.destroyed) return;
      stream.respond(answer, { waitForTrailers: true });
      stream.on('wantTrailers', () => stream.sendTrailers(trailers));
      asked.pipe(stream);
    });
    let trailers: IncomingHttpHeaders = {};
    asked.on('trailers', (told) => {
      trailers = told;
    });
    stream.on('close', () => asked.destroyed || asked.close());
    stream.pipe(asked);
  }

  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    hold(method) {
      const waiting: (() => void)[] = [];
      held.set(method, waiting);
      return {
        kept: () => waiting.length,
        release() {
          held.delete(method);
          for (const pass of waiting.splice(0)) pass();
        },
      };
    },
    refuse(method, code) {
      refused.set(method, code);
      return { allow: () => void refused.delete(method) };
    },
    async close() {
      const closed = once(server, 'close');
      server.close();
      for (const session of sessions) session.destroy();
      service.destroy();
      await closed;
    },
  };
}
