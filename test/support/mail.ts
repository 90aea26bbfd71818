import { once } from 'node:events';
import { sql } from 'kysely';
import { SMTPServer, type SMTPServerSession } from 'smtp-server';
import type { Person, TestStack } from './stack.ts';

/** What the server does with the next mails, one each; then it takes them. */
export type MailFault =
  | { readonly at: 'rcpt' | 'data'; readonly code: number; readonly text?: string }
  /** It has the mail, and answers only after that. */
  | { readonly at: 'taken'; readonly then: () => Promise<void> }
  /** It has the mail, and goes without a word. */
  | { readonly at: 'after' }
  /** It goes before the mail was sent. */
  | { readonly at: 'before' };

export interface ReceivedMail {
  readonly from: string;
  readonly to: readonly string[];
  /** As it was sent. */
  readonly raw: string;
  header(name: string): string | null;
  /** The decoded parts: text, and HTML. */
  readonly text: string;
  readonly html: string;
  /** The path and query of the first link that begins with `path`. */
  link(path: string): string;
}

/** A real SMTP server on this machine. */
export interface TestMail {
  readonly url: string;
  /** What it has taken, copies too, oldest first. */
  readonly received: readonly ReceivedMail[];
  next(...faults: MailFault[]): void;
  /** Goes, with all its connections; `begin` listens at the same place again. */
  stop(): Promise<void>;
  begin(): Promise<void>;
  close(): Promise<void>;
}

/** The variables of a service that sends by this server. */
export function mailingBy(mail: Pick<TestMail, 'url'>): Record<string, string> {
  return {
    SMTP_URL: mail.url,
    MAIL_FROM: 'Turnkeeper <no-reply@turnkeeper.example>',
    PUBLIC_URL: 'https://chat.example',
  };
}

export async function startTestMail(): Promise<TestMail> {
  const received: ReceivedMail[] = [];
  const faults: MailFault[] = [];
  let port = 0;
  let server = makeServer();

  function makeServer(): SMTPServer {
    const taken = (at: MailFault['at']) => (faults[0]?.at === at ? faults.shift() : undefined);
    const drop = (session: SMTPServerSession) => {
      for (const connection of made.connections) if (connection.session.id === session.id) connection._socket.destroy();
    };
    const made = new SMTPServer({
      authOptional: true,
      disabledCommands: ['STARTTLS'],
      disableReverseLookup: true,
      onRcptTo(_address, session, done) {
        if (taken('before') !== undefined) {
          drop(session);
          return;
        }
        done(refusal(taken('rcpt')));
      },
      onData(stream, session, done) {
        const chunks: Buffer[] = [];
        stream.on('data', (chunk: Buffer) => chunks.push(chunk));
        stream.on('end', () => {
          const refused = refusal(taken('data'));
          if (refused !== null) {
            done(refused);
            return;
          }
          received.push(mailOf(session, Buffer.concat(chunks).toString('utf8')));
          if (taken('after') !== undefined) {
            drop(session);
            return;
          }
          const held = taken('taken');
          if (held?.at === 'taken') void held.then().then(() => done());
          else done();
        });
      },
    });
    // Connections that are cut on purpose.
    made.on('error', () => {});
    return made;
  }

  async function begin(): Promise<void> {
    server = makeServer();
    server.listen(port, '127.0.0.1');
    await once(server.server, 'listening');
    const address = server.server.address();
    port = typeof address === 'object' && address !== null ? address.port : port;
  }

  async function stop(): Promise<void> {
    const closed = new Promise<void>((done) => server.close(() => done()));
    for (const connection of server.connections) connection._socket.destroy();
    await closed;
  }

  await begin();
  return {
    get url() {
      return `smtp://127.0.0.1:${port}`;
    },
    received,
    next: (...more) => faults.push(...more),
    stop,
    begin,
    close: stop,
  };
}

function refusal(fault: MailFault | undefined): Error | null {
  if (fault === undefined || !('code' in fault)) return null;
  return Object.assign(new Error(fault.text ?? 'not now'), { responseCode: fault.code });
}

function mailOf({ envelope }: SMTPServerSession, raw: string): ReceivedMail {
  const [head = ''] = raw.split('\r\n\r\n', 1);
  const lines = head.replaceAll(/\r\n[ \t]+/g, ' ').split('\r\n');
  const header = (name: string) => {
    const line = lines.find((line) => line.toLowerCase().startsWith(`${name.toLowerCase()}:`));
    return line === undefined ? null : decodeWords(line.slice(name.length + 1).trim());
  };
  const [text, html] = [partOf(raw, 'text/plain'), partOf(raw, 'text/html')];
  return {
    from: envelope.mailFrom === false ? '' : envelope.mailFrom.address,
    to: envelope.rcptTo.map(({ address }) => address),
    raw,
    header,
    text,
    html,
    link(path) {
      const [, found] = new RegExp(`https?://[^/\\s]+(${path}[^\\s]*)`).exec(text) ?? [];
      if (found === undefined) throw new Error(`the mail has no link to ${path}`);
      return found;
    },
  };
}

/** A part of a multipart mail, decoded. */
function partOf(raw: string, type: string): string {
  const [, boundary = ''] = /boundary="([^"]+)"/.exec(raw) ?? [];
  const part = raw.split(`\r\n--${boundary}`).find((part) => new RegExp(`^content-type: ${type}`, 'im').test(part));
  if (part === undefined) return '';
  const at = part.indexOf('\r\n\r\n');
  const [head, body] = [part.slice(0, at), part.slice(at + 4)];
  if (/transfer-encoding: base64/i.test(head)) return Buffer.from(body, 'base64').toString('utf8');
  if (!/transfer-encoding: quoted-printable/i.test(head)) return body;
  const bytes = body.replaceAll('=\r\n', '').replaceAll(/=([0-9A-F]{2})/g, (_, hex: string) => `%${hex}`);
  return decodeURIComponent(bytes.replaceAll(/%(?![0-9A-F]{2})/g, '%25'));
}

/** `=?UTF-8?B?…?=` and `=?UTF-8?Q?…?=` of RFC 2047. */
function decodeWords(value: string): string {
  return value.replaceAll(/\?=\s+=\?/g, '?==?').replaceAll(/(?:=\?UTF-8\?[BQ]\?[^?]*\?=)+/gi, (words) =>
    Buffer.concat(
      [...words.matchAll(/=\?UTF-8\?([BQ])\?([^?]*)\?=/gi)].map(([, how = '', text = '']) =>
        how.toUpperCase() === 'B'
          ? Buffer.from(text, 'base64')
          : Buffer.from(
              text
                .replaceAll('_', ' ')
                .replaceAll(/=([0-9A-F]{2})/gi, (_, hex: string) => String.fromCharCode(parseInt(hex, 16))),
              'latin1',
            ),
      ),
    ).toString('utf8'),
  );
}

interface InDatabase {
  readonly db: Pick<TestStack['db'], 'database'>;
}

/** Gives the person a confirmed address, as the link in a mail does. */
export async function giveAddress(
  { db }: InDatabase,
  { userId }: Pick<Person, 'userId'>,
  email = `person-${userId}@example.com`,
): Promise<string> {
  await sql`insert into addresses (user_id, email, verified_at) values (${userId}, ${email}, now())
    on conflict (user_id) do update set email = excluded.email`.execute(db.database.sql);
  return email;
}

export interface DeliveryRow {
  readonly id: string;
  readonly state: string;
  readonly attempts: number;
  readonly unknowns: number;
  readonly error: string | null;
  readonly answer: string | null;
  readonly address: string;
  readonly kind: string;
  readonly dueInMs: number;
}

/** The person's mails, oldest first, as they stand in the outbox. */
export async function mailsOf({ db }: InDatabase, { userId }: Pick<Person, 'userId'>): Promise<DeliveryRow[]> {
  const { rows } =
    await sql<DeliveryRow>`select d.id, d.state, d.attempts, d.unknowns, d.error_code as error, d.answer, d.address, n.kind,
      extract(epoch from d.due_at - clock_timestamp())::float8 * 1000 as "dueInMs"
    from deliveries d join notifications n on n.id = d.notification_id
    where n.user_id = ${userId} and d.channel = 'email' order by d.queued_at, n.id`.execute(db.database.sql);
  return rows;
}
