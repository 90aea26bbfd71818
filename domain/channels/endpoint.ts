/** What a webhook may be told of. `turn.failed` is the operator's: it names turns of everybody. */
export const WEBHOOK_EVENTS = [
  'usage.alert',
  'usage.reset',
  'usage.report',
  'purchase.deposit',
  'purchase.paid',
  'purchase.failed',
  'purchase.refunded',
  'topup.declined',
  'topup.paused',
  'topup.reminder',
  'turn.failed',
] as const;
export type WebhookEvent = (typeof WEBHOOK_EVENTS)[number];

export const OPERATOR_EVENTS: ReadonlySet<WebhookEvent> = new Set(['turn.failed']);

/** `account`: the events of the person's own account. `operator`: those of all accounts; admins alone have such. */
export const ENDPOINT_SCOPES = ['account', 'operator'] as const;
export type EndpointScope = (typeof ENDPOINT_SCOPES)[number];

export const ENDPOINT_STATES = ['enabled', 'disabled'] as const;
export type EndpointState = (typeof ENDPOINT_STATES)[number];

/** An endpoint that has taken nothing for so long is disabled. */
export const DISABLE_AFTER_MS = 3 * 86_400_000;
/** How long a secret that was replaced still signs beside the new one. */
export const ROTATION_HOURS = 24;
export const MOST_ENDPOINTS = 10;

/** The ports of HTTPS, beside which there is no reason to call a stranger's server. */
const PORTS = new Set(['', '443', '8443']);

/**
 * The address of an endpoint, as it is called.
 * @param isAllowed whether the operator lets this host be called whatever it is.
 * @returns what is wrong with it, as a sentence for whoever sent it.
 */
export function endpointUrl(text: string, isAllowed: (host: string) => boolean): URL | { readonly wrong: string } {
  const url = URL.parse(text);
  if (url === null || url.hostname === '') return { wrong: 'must be a URL' };
  if (url.username !== '' || url.password !== '') return { wrong: 'must hold no user and no password' };
  url.hash = '';
  if (isAllowed(url.host) && /^https?:$/.test(url.protocol)) return url;
  if (url.protocol !== 'https:') return { wrong: 'must be https' };
  if (!PORTS.has(url.port)) return { wrong: 'must be on port 443 or 8443' };
  if (!url.hostname.includes('.') && !url.hostname.startsWith('[')) return { wrong: 'must be a public host' };
  return url;
}
