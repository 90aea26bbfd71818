/**
 * What the audit log records of admins, and of people upon their own keys and webhooks, as `object.verb`: the closed
 * list of its `action`.
 */
export const AUDIT_ACTIONS = [
  'turn.read_content',
  'turn.replay',
  'redrive.start',
  'redrive.pause',
  'redrive.resume',
  'redrive.cancel',
  'user.create',
  'user.invite',
  'user.update',
  'user.suspend',
  'user.resume',
  'tokens.grant',
  'tokens.reverse',
  'purchase.refund',
  'purchase.look',
  'purchase.accept',
  'codes.make',
  'codes.revoke',
  // A key that another admin's grant or reversal has: nothing was booked.
  'tokens.refuse_key',
  'stats_cache.delete',
  'model.switch_on',
  'model.switch_off',
  'delivery.resend',
  'delivery.resend_many',
  'delivery.cancel_resend',
  'key.create',
  'key.update',
  'key.rotate',
  'key.revoke',
  'webhook.create',
  'webhook.update',
  'webhook.delete',
] as const;

export type AuditAction = (typeof AUDIT_ACTIONS)[number];

export type AuditTargetKind =
  | 'turn'
  | 'user'
  | 'redrive'
  | 'ledger_entry'
  | 'purchase'
  | 'code_batch'
  | 'token_stats'
  | 'key'
  | 'delivery'
  | 'resend'
  | 'webhook'
  | 'model';

/** What was acted on: `turn:<id>` or `user:<id>`, or a kind alone where there is only one of it. */
export type AuditTarget = AuditTargetKind | `${AuditTargetKind}:${string | number}`;

/**
 * Who acted: an admin by an HTTP request, a person upon a key or webhook of theirs (`adminId` is then that person), or
 * somebody with access to the database through the CLI (then both are null).
 */
export type AuditActor =
  { readonly adminId: number; readonly requestId: string } | { readonly adminId: null; readonly requestId: null };

export const CLI_ACTOR: AuditActor = { adminId: null, requestId: null };

/** Ids, codes and figures only: an audit entry is kept for ever, so no e-mail and no chat text may reach it. */
export type AuditFigures = Readonly<Record<string, string | number | boolean | null>>;
