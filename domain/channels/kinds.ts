/** What people are told of. Each kind has its letter (`domain/channels/letters.ts`). */
export const NOTIFICATION_KINDS = [
  'usage.alert',
  'usage.reset',
  'usage.report',
  'purchase.deposit',
  'purchase.paid',
  'purchase.failed',
  'purchase.refunded',
  'people.invited',
  'topup.declined',
  'topup.paused',
  'topup.reminder',
  'security.address',
  'security.endpoint',
] as const;
export type NotificationKind = (typeof NOTIFICATION_KINDS)[number];

/** Mails about money and security cannot be switched off: who did not ask for one has to learn of it. */
const SWITCHABLE: ReadonlySet<NotificationKind> = new Set([
  'usage.alert',
  'usage.reset',
  'usage.report',
  'topup.reminder',
]);

export function isSwitchable(kind: NotificationKind): boolean {
  return SWITCHABLE.has(kind);
}

/** They go to an address that nobody has confirmed yet: each asks its mailbox for something. */
const CONFIRMING: ReadonlySet<NotificationKind> = new Set(['security.address', 'people.invited']);

export function isConfirming(kind: NotificationKind): boolean {
  return CONFIRMING.has(kind);
}

/** Channels that a person may switch, kind by kind. What is in the app is there, whatever is sent beside it. */
export const SWITCHED_CHANNELS = ['email'] as const;
export type SwitchedChannel = (typeof SWITCHED_CHANNELS)[number];

/** Every way out. `in_app` is delivered by being there. */
export const CHANNELS = ['in_app', 'email', 'webhook'] as const;
export type Channel = (typeof CHANNELS)[number];
