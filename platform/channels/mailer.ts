import type { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Transporter } from 'nodemailer';
import type { AttemptOutcome } from '../../domain/channels/outcome.ts';
import type { MailSettings } from '../config/channels-settings.ts';

export interface Mail {
  readonly to: string;
  readonly subject: string;
  readonly text: string;
  readonly html: string;
  /** The same for each attempt, so that a mailbox shows one of several copies. Without brackets. */
  readonly messageId: string;
  /** Where one click stops mails of this kind; null: nothing does. */
  readonly unsubscribeUrl: string | null;
}

/** Sends mail by SMTP. */
export interface Mailer {
  readonly from: MailSettings['from'];
  /** Tries once. It never throws for what the network or the server does. */
  send(mail: Mail): Promise<AttemptOutcome>;
  close(): Promise<void>;
}

const CONNECTIONS = 5;
/** No server may hold a place for longer. */
const LIMITS = {
  dnsTimeout: 5_000,
  connectionTimeout: 10_000,
  greetingTimeout: 10_000,
  socketTimeout: 15_000,
} as const;
const SEND_WITHIN_MS = 40_000;
/** While a server is away, asking it once in so many milliseconds is enough for all the mails that wait. */
const AWAY_MS = 2_000;

/** The client is loaded by the first mail: most processes send none. */
export function createMailer(settings: MailSettings): Mailer {
  let transport: Promise<Transporter<unknown>> | null = null;
  let awayUntil = 0;
  const bodies = new WeakMap<AbortSignal, Readable>();

  async function connect(): Promise<Transporter<unknown>> {
    const { createTransport } = await import('nodemailer');
    const { host, port, isSecure, isLocal, auth } = settings;
    const transporter = createTransport({
      pool: true,
      maxConnections: CONNECTIONS,
      // A mail that is queued again inside the pool might be sent twice without our knowing.
      maxRequeues: 0,
      host,
      port,
      secure: isSecure,
      ...(isLocal && !isSecure ? { ignoreTLS: true } : { requireTLS: !isSecure }),
      ...(auth === null ? {} : { auth }),
      ...LIMITS,
      disableFileAccess: true,
      disableUrlAccess: true,
    });
    // Whether a byte of the mail has left decides whether the server may have it.
    transporter.use('stream', (mail, done) => {
      const { message } = mail;
      const open = message.createReadStream.bind(message);
      message.createReadStream = (options) => {
        const body = open(options);
        if (mail.data.signal !== undefined) bodies.set(mail.data.signal, body);
        return body;
      };
      done();
    });
    return transporter;
  }

  async function tryOnce(mail: Mail): Promise<Tried> {
    transport ??= connect();
    const transporter = await transport;
    const data = dataOf(mail, settings.from);
    const isUnread = () => bodies.get(data.signal)?.readableDidRead !== true;
    try {
      const sent = await transporter.sendMail(data);
      return { outcome: { outcome: 'accepted', answer: statusOf(responseOf(sent)) }, isClosed: false };
    } catch (error) {
      return outcomeOf(error, { isUnread: isUnread() });
    }
  }

  return {
    from: settings.from,
    async send(mail) {
      if (Date.now() < awayUntil) return { outcome: 'later', answer: 'unreachable' };
      let tried = await tryOnce(mail);
      if (tried.isClosed) {
        // A server closes connections that were idle: the next one is opened at once.
        await sleep(50);
        tried = await tryOnce(mail);
      }
      const { outcome } = tried;
      if (outcome.answer === 'unreachable') awayUntil = Date.now() + AWAY_MS;
      return outcome;
    },
    async close() {
      (await transport)?.close();
    },
  };
}

function dataOf({ to, subject, text, html, messageId, unsubscribeUrl }: Mail, from: MailSettings['from']) {
  return {
    from,
    to: { name: '', address: to },
    // The envelope is said apart, so that no parser of headers decides who gets the mail.
    envelope: { from: from.address, to: [to] },
    subject,
    text,
    html,
    messageId: `<${messageId}>`,
    headers: {
      // Vacation notes and other robots stay silent.
      'Auto-Submitted': 'auto-generated',
      'X-Auto-Response-Suppress': 'All',
      ...(unsubscribeUrl === null
        ? {}
        : { 'List-Unsubscribe': `<${unsubscribeUrl}>`, 'List-Unsubscribe-Post': 'List-Unsubscribe=One-Click' }),
    },
    signal: AbortSignal.timeout(SEND_WITHIN_MS),
  };
}

/** nodemailer says the reply's code, and the command that it answers. */
interface SmtpError {
  readonly code?: unknown;
  readonly command?: unknown;
  readonly responseCode?: unknown;
}

interface Tried {
  readonly outcome: AttemptOutcome;
  /** The server had closed the connection before anything of the mail was sent. */
  readonly isClosed: boolean;
}

function outcomeOf(error: unknown, { isUnread }: { isUnread: boolean }): Tried {
  const { code, command, responseCode } = typeof error === 'object' && error !== null ? (error as SmtpError) : {};
  const isClosed = isUnread && code === 'ECONNECTION' && typeof responseCode !== 'number';
  return { outcome: meaningOf(), isClosed };

  function meaningOf(): AttemptOutcome {
    if (typeof responseCode !== 'number') {
      if (!isUnread) return { outcome: 'unknown', answer: 'connection_lost' };
      return { outcome: 'later', answer: code === 'EAUTH' ? 'sign_in' : 'unreachable' };
    }
    const answer = statusOf(responseOf(error) || String(responseCode));
    const isOfMail = command === 'RCPT TO' || command === 'DATA';
    if (!isOfMail) return { outcome: 'later', answer: code === 'EAUTH' ? 'sign_in' : 'refuses_us' };
    if (responseCode < 500) return { outcome: 'later', answer };
    return { outcome: 'refused', answer, isRecipientGone: command === 'RCPT TO' || isAboutMailbox(answer) };
  }
}

/** A mail may be refused after its text for what stands in it (5.6, 5.7); 550 to 553 are about the mailbox. */
function isAboutMailbox(answer: string): boolean {
  const [, code, enhanced] = /^(\d{3})(?: 5\.(\d))?/.exec(answer) ?? [];
  return enhanced === undefined ? /^55[0-3]$/.test(code ?? '') : /^[12]$/.test(enhanced);
}

function responseOf(told: unknown): string {
  const response = typeof told === 'object' && told !== null && 'response' in told ? told.response : '';
  return typeof response === 'string' ? response : '';
}

/** The reply's code and its enhanced one, without the server's words. */
function statusOf(response: string): string {
  const [status = ''] = /^\d{3}(?:[ -]\d\.\d{1,3}\.\d{1,3})?/.exec(response) ?? [];
  return status.replace('-', ' ');
}
