import { getInstallationKey } from '../../db/channels/installation-key.ts';
import type { Database } from '../../db/database.ts';
import type { Outward } from '../../db/channels/outbox.ts';
import { createLinkTokens, type LinkTokens } from '../../platform/channels/tokens.ts';
import { createHookSender, type HookSender } from '../../platform/channels/hook-sender.ts';
import { createVault } from '../../platform/payments/vault.ts';
import type { Vault } from '../../domain/payments/vault.ts';
import { createMailer, type Mailer } from '../../platform/channels/mailer.ts';
import type { Config } from '../../platform/config/config.ts';
import type { DeliveryRuns } from '../../platform/temporal/delivery-runs.ts';

/** The ways out of this installation. */
export interface Channels {
  /** Null: no mail leaves. */
  readonly mailer: Mailer | null;
  readonly hooks: HookSender;
  /** Seals the secrets of endpoints. */
  readonly vault: Vault;
  /** Hosts that the operator's own endpoints may have, whatever they are. */
  readonly allowHosts: ReadonlySet<string>;
  readonly slackOrigin: string;
  readonly outward: Outward;
  readonly links: LinkTokens;
  /** The web app's address, without a slash at its end; links in mails lead to it. */
  readonly publicUrl: string;
  close(): Promise<void>;
}

export interface ChannelDeps {
  readonly channels: Channels;
  readonly deliveryRuns: DeliveryRuns;
}

/** What a link in a mail may do: each purpose has tokens of its own. */
export const LINKS = { unsubscribe: 'unsubscribe', confirm: 'confirm-address', invite: 'invite' } as const;

export async function openChannels(
  database: Database,
  { mail, webhooks, payments, publicUrl }: Pick<Config, 'mail' | 'webhooks' | 'payments' | 'publicUrl'>,
): Promise<Channels> {
  const mailer = mail === null ? null : createMailer(mail);
  return {
    mailer,
    hooks: createHookSender(),
    vault: createVault(payments.key),
    allowHosts: new Set(webhooks.allowHosts),
    slackOrigin: webhooks.slackOrigin,
    outward: { email: mailer !== null, webhook: webhooks.isOn },
    links: createLinkTokens(await getInstallationKey(database, 'links')),
    publicUrl: publicUrl ?? '',
    close: async () => mailer?.close(),
  };
}
