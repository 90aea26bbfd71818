import { beginAttempt, endAttempt, isJob, type Job, type Progress } from '../../db/channels/deliveries.ts';
import { findTarget, noteTaken } from '../../db/channels/endpoints.ts';
import { tellOfEndpoint } from '../../db/channels/tell-endpoint.ts';
import type { Database } from '../../db/database.ts';
import { eventBody } from '../../domain/channels/event.ts';
import { isSwitchable } from '../../domain/channels/kinds.ts';
import { layOut } from '../../domain/channels/layout.ts';
import { slackBody } from '../../domain/channels/slack.ts';
import { letterOf, type Told } from '../../domain/channels/letters.ts';
import type { AttemptOutcome } from '../../domain/channels/outcome.ts';
import type { Mail } from '../../platform/channels/mailer.ts';
import type { LinkTokens } from '../../platform/channels/tokens.ts';
import type { Metrics } from '../../platform/telemetry/metrics.ts';
import type { Warnings } from '../deps.ts';
import { LINKS, type ChannelDeps, type Channels } from './channels.ts';
import { invitationPath } from './invitation-link.ts';
import { startDeliveries } from './start-deliveries.ts';

interface DeliverDeps extends ChannelDeps {
  readonly database: Database;
  readonly log: Warnings;
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
  const attempt = begun.channel === 'email' ? await tryMail(deps, begun) : await tryHook(deps, begun);
  deps.metrics.deliveryTried({ channel: begun.channel, outcome: attempt.outcome });
  return endAttempt(deps.database, { deliveryId, spread: Math.random(), ...attempt });
}

/** The operator has switched the channel off while this delivery waited: it waits on. */
const CHANNEL_OFF: AttemptOutcome = { outcome: 'later', answer: 'channel_off' };
/** A call without a signature would teach its server to take such calls from anybody. */
const NO_SECRET: AttemptOutcome = { outcome: 'later', answer: 'no_secret' };

async function tryMail({ channels }: DeliverDeps, job: Job): Promise<AttemptOutcome> {
  if (channels.mailer === null) return CHANNEL_OFF;
  return channels.mailer.send(mailOf(job, channels, channels.mailer.from));
}

async function tryHook(deps: DeliverDeps, job: Job): Promise<AttemptOutcome> {
  const { database, channels } = deps;
  if (!channels.outward.webhook) return CHANNEL_OFF;
  const { address: endpointId, deliveryId, event, userId, at } = job;
  const target = await findTarget(database.sql, channels.vault, endpointId);
  if (target === null) return { outcome: 'refused', answer: 'disabled', isRecipientGone: false };
  const { url, scope, secrets, locale } = target;
  const isSlack = scope === 'operator' && new URL(url).origin === channels.slackOrigin;
  const hook = {
    url: new URL(url),
    isAllowed: scope === 'operator' && channels.allowHosts.has(new URL(url).host),
    deliveryId,
    secrets: isSlack ? [] : secrets,
    body: isSlack ? slackBody(event, { userId, locale }) : eventBody(event, { userId, at }),
  };
  const outcome = !isSlack && secrets.length === 0 ? NO_SECRET : await channels.hooks.send(hook);
  const disabled = await noteTaken(database.sql, endpointId, outcome.outcome === 'accepted');
  if (disabled !== null) await tellDisabled(deps, { ...disabled, endpointId, host: new URL(url).host });
  return outcome;
}

/** Its owner is told by mail, whatever they have switched off. */
async function tellDisabled(
  { database, channels, deliveryRuns, log }: DeliverDeps,
  { userId, endpointId, host }: { userId: number; endpointId: string; host: string },
): Promise<void> {
  const { outward } = channels;
  const deliveryIds = await tellOfEndpoint(database, { userId, endpointId, host, outward });
  await startDeliveries({ database, deliveryRuns, log }, deliveryIds);
}

function mailOf(
  { deliveryId, userId, address, event, locale }: Job,
  { links, publicUrl }: Channels,
  from: { readonly name: string; readonly address: string },
): Mail {
  // An address gets letters only: what has none goes to endpoints.
  if (event.kind === 'turn.failed' || event.kind === 'endpoint.test') throw new Error(`${event.kind} has no letter`);
  const { kind } = event;
  const unsubscribeUrl = isSwitchable(kind)
    ? `${publicUrl}/unsubscribe?t=${links.sign(LINKS.unsubscribe, `${userId}/${kind}`)}`
    : null;
  return {
    to: address,
    ...layOut(letterOf(event, locale, askingPath(event, links)), locale, {
      serviceName: from.name,
      publicUrl,
      unsubscribeUrl,
    }),
    messageId: `${deliveryId}@${from.address.split('@')[1] ?? ''}`,
    unsubscribeUrl,
  };
}

/** Where a letter that asks its mailbox for something leads; empty for the others. */
function askingPath({ kind, figures }: Told, links: LinkTokens): string {
  if (kind === 'security.address')
    return `/confirm-address?t=${links.sign(LINKS.confirm, `${figures.changeId}/${figures.which}`)}`;
  return kind === 'people.invited' ? invitationPath(links, { ...figures, byMail: true }) : '';
}
