import { once } from 'node:events';
import { SMTPServer } from 'smtp-server';

/** A mail server at one port that comes and goes, and counts what it has taken by `Message-ID`. */
export class MailServer {
  readonly received = new Map<string, number>();
  readonly #port: number;
  #server: SMTPServer | null = null;

  constructor(port: number) {
    this.#port = port;
  }

  async begin(): Promise<void> {
    const server = new SMTPServer({
      authOptional: true,
      disabledCommands: ['STARTTLS'],
      disableReverseLookup: true,
      onData: (stream, _session, done) => {
        const parts: Buffer[] = [];
        stream.on('data', (part: Buffer) => parts.push(part));
        stream.on('end', () => {
          const [, id = 'none'] = /^Message-ID: *(\S+)/im.exec(Buffer.concat(parts).toString('utf8')) ?? [];
          this.received.set(id, (this.received.get(id) ?? 0) + 1);
          done();
        });
      },
    });
    // Connections that are cut when it goes.
    server.on('error', () => {});
    server.listen(this.#port, '127.0.0.1');
    await once(server.server, 'listening');
    this.#server = server;
  }

  async stop(): Promise<void> {
    const server = this.#server;
    this.#server = null;
    if (server === null) return;
    const closed = new Promise<void>((done) => server.close(() => done()));
    for (const connection of server.connections) connection._socket.destroy();
    await closed;
  }
}
