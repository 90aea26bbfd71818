import { beginAttempt, endAttempt, isJob, type Job, type Progress } from '../../db/channels/deliveries.ts';
import type { Database } from '../../db/database.ts';
import { isSwitchable } from '../../domain/channels/kinds.ts';
import { layOut } from '../../domain/channels/layout.ts';
import { letterOf } from '../../domain/channels/letters.ts';
import type { AttemptOutcome } from '../../domain/channels/outcome.ts';
import type { Mail } from '../../platform/channels/mailer.ts';
import type { Metrics } from '../../platform/telemetry/metrics.ts';
import { LINKS, type Channels } from './channels.ts';

interface DeliverDeps {
  readonly database: Database;
  readonly channels: Channels;
  readonly metrics: Pick<Metrics, 'deliveryTried'>;
}

/**
 * Tries one delivery once (G52). Its process may die anywhere in here: the next attempt then counts this one as
 * unknown.
 * @returns how far it is; nothing is tried when it is over.
 */
export async function sendDelivery(deps: DeliverDeps, deliveryId: string): Promise<Progress> {
  const begun = await beginAttempt(deps.database, deliveryId);
  if (!isJob(begun)) return begun;
  const attempt = await tryOnce(deps, begun);
  deps.metrics.deliveryTried({ channel: begun.channel, outcome: attempt.outcome });
  return endAttempt(deps.database, { deliveryId, spread: Math.random(), ...attempt });
}

async function tryOnce({ channels }: DeliverDeps, job: Job): Promise<AttemptOutcome> {
  // The operator has switched the channel off while this delivery waited: it waits on.
  if (channels.mailer === null) return { outcome: 'later', answer: 'channel_off' };
  return channels.mailer.send(mailOf(job, channels, channels.mailer.from));
}

function mailOf(
  { deliveryId, userId, address, told, locale }: Job,
  { links, publicUrl }: Channels,
  from: { readonly name: string; readonly address: string },
): Mail {
  const { kind, figures } = told;
  const unsubscribeUrl = isSwitchable(kind)
    ? `${publicUrl}/unsubscribe?t=${links.sign(LINKS.unsubscribe, `${userId}/${kind}`)}`
    : null;
  const confirmPath =
    kind === 'security.address'
      ? `/confirm-address?t=${links.sign(LINKS.confirm, `${figures.changeId}/${figures.which}`)}`
      : '';
  return {
    to: address,
    ...layOut(letterOf(told, locale, confirmPath), locale, { serviceName: from.name, publicUrl, unsubscribeUrl }),
    messageId: `${deliveryId}@${from.address.split('@')[1] ?? ''}`,
    unsubscribeUrl,
  };
}
