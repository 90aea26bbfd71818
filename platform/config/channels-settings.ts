import { SetupError } from '../../domain/setup-error.ts';
import { mailAddressOf } from '../../domain/channels/mail-address.ts';
import { isLoopback } from './loopback.ts';

export interface ChannelVariables {
  readonly SMTP_URL?: string | undefined;
  readonly MAIL_FROM?: string | undefined;
  readonly PUBLIC_URL?: string | undefined;
  readonly TURNKEEPER_EMBEDDED: boolean;
}

/** How mail leaves. */
export interface MailSettings {
  readonly host: string;
  readonly port: number;
  /** TLS from the first byte (smtps). */
  readonly isSecure: boolean;
  /** Nothing is sent in the clear to another machine: without TLS from the first byte, STARTTLS is a must. */
  readonly isLocal: boolean;
  readonly auth: { readonly user: string; readonly pass: string } | null;
  readonly from: { readonly name: string; readonly address: string };
}

/**
 * Null: no mail leaves.
 * @throws SetupError with one sentence that names the variable and never quotes SMTP_URL, which holds a password.
 */
export function readMail(variables: ChannelVariables): MailSettings | null {
  const { SMTP_URL, MAIL_FROM, PUBLIC_URL, TURNKEEPER_EMBEDDED } = variables;
  if (SMTP_URL === undefined) return null;
  const url = URL.parse(SMTP_URL);
  if (url === null || !/^smtps?:$/.test(url.protocol) || url.hostname === '' || /^\/./.test(url.pathname))
    throw new SetupError('SMTP_URL: must be smtp://user:password@host:port, or smtps:// for TLS from the first byte');
  if (MAIL_FROM === undefined) throw new SetupError('MAIL_FROM: must be set together with SMTP_URL');
  // npm start gives the program its own address.
  if (PUBLIC_URL === undefined && !TURNKEEPER_EMBEDDED)
    throw new SetupError('PUBLIC_URL: must be set together with SMTP_URL, because links in mails lead to it');
  const isSecure = url.protocol === 'smtps:';
  return {
    host: url.hostname.replace(/^\[(.*)\]$/, '$1'),
    port: url.port === '' ? (isSecure ? 465 : 587) : Number(url.port),
    isSecure,
    isLocal: isLoopback(url.hostname),
    auth:
      url.username === '' ? null : { user: decodeURIComponent(url.username), pass: decodeURIComponent(url.password) },
    from: readFrom(MAIL_FROM),
  };
}

/** `Turnkeeper <no-reply@example.com>`, or the address alone. */
function readFrom(text: string): MailSettings['from'] {
  const [, name = '', bracketed] = /^\s*("?[^"<>\p{C}]*"?)\s*<([^<>]*)>\s*$/u.exec(text) ?? [];
  const address = mailAddressOf((bracketed ?? text).trim());
  const shownName = name.trim().replace(/^"(.*)"$/, '$1');
  if (address === null || [...shownName].length > 30)
    throw new SetupError(
      'MAIL_FROM: must be an address, such as Turnkeeper <no-reply@example.com>, its name at most 30 long',
    );
  return { name: shownName === '' ? 'Turnkeeper' : shownName, address };
}

export interface WebhookVariables {
  readonly WEBHOOK_ALLOW_HOSTS: string;
  readonly SLACK_URL: string;
  readonly PAYMENTS_KEY?: string | undefined;
  readonly TURNKEEPER_EMBEDDED: boolean;
}

/**
 * `isOn` needs a key that seals the endpoints' secrets; the demo's need not be secret. `allowHosts`: hosts, with their
 * port unless it is the scheme's, that the operator's own endpoints may have, although they are private or without TLS.
 */
export function readWebhooks(
  { WEBHOOK_ALLOW_HOSTS, SLACK_URL, PAYMENTS_KEY, TURNKEEPER_EMBEDDED }: WebhookVariables,
  { isProduction }: { readonly isProduction: boolean },
) {
  const allowHosts = WEBHOOK_ALLOW_HOSTS.split(',')
    .map((host) => host.trim().toLowerCase())
    .filter((host) => host !== '');
  const wrong = allowHosts.find((host) => !/^(\[[0-9a-f:.]+\]|[a-z0-9.-]+)(:\d{1,5})?$/.test(host));
  if (wrong !== undefined)
    throw new SetupError('WEBHOOK_ALLOW_HOSTS: must be hosts with commas between them, such as hooks.intranet:8080');
  return {
    isOn: PAYMENTS_KEY !== undefined || (TURNKEEPER_EMBEDDED && !isProduction),
    allowHosts,
    /** Where Slack's incoming webhooks are: what the operator has told there is told as a message. */
    slackOrigin: new URL(SLACK_URL).origin,
  } as const;
}
