import { sql } from 'kysely';
import { v7 as uuidv7 } from 'uuid';
import type { AuditActor } from '../../domain/audit.ts';
import { AppError } from '../../domain/errors.ts';
import type { Locale } from '../../domain/messages.ts';
import { INVITATION_DAYS, MOST_INVITATIONS_A_DAY } from '../../domain/people.ts';
import type { Instant } from '../../domain/period.ts';
import { writeAudit } from '../audit.ts';
import { writeNotification, type Outward } from '../channels/outbox.ts';
import { hashOfAddress } from '../channels/targets.ts';
import { columnsOf } from '../columns.ts';
import { first, instantOf, one, type Database, type Tx } from '../database.ts';
import { Invitation } from '../entities/keys/invitation.ts';
import { mintSecret } from './secrets.ts';

export interface Invited {
  readonly invitationId: string;
  readonly expiresAt: Instant;
  /** Where its mail goes; null: the link is for whoever copies it. */
  readonly sentTo: string | null;
  /** To be started after the commit. */
  readonly deliveryIds: readonly string[];
}

/**
 * Invites a person, or invites them anew: an earlier link is good no more.
 * @param wanted.outward whether mail leaves this installation.
 * @throws AppError not_found; invalid_request: who signs in by an issuer, or has no e-mail for a mail; rate_limited
 *   after 5 within 24 hours; channel_off.
 */
export async function invitePerson(
  database: Database,
  wanted: { userId: number; byMail: boolean; actor: AuditActor; outward: Outward },
): Promise<Invited> {
  const { userId, byMail, actor, outward } = wanted;
  if (byMail && !outward.email) throw new AppError('channel_off');
  return database.transaction(async (tx) => {
    const person = await lockPerson(tx, userId);
    const { email, locale, now, timeZone } = person;
    if (person.issuer !== null)
      throw new AppError('invalid_request', { field: 'userId', reason: 'this person signs in at their provider' });
    if (byMail && email === null)
      throw new AppError('invalid_request', { field: 'by', reason: 'this person has no e-mail' });
    if (person.today >= MOST_INVITATIONS_A_DAY) throw new AppError('rate_limited', { retryAfter: 3_600 });
    tx.write(sql`update invitations set ended_at = ${tx.clock()} where user_id = ${userId} and ended_at is null`);
    const invitationId = uuidv7();
    const expiresAt = now + INVITATION_DAYS * 86_400_000;
    await sql`insert into invitations (id, user_id, invited_by_id, by_mail, created_at, expires_at)
      values (${invitationId}, ${userId}, ${actor.adminId}, ${byMail}, ${new Date(now)}, ${new Date(expiresAt)})`.execute(
      tx,
    );
    await writeAudit(tx, {
      actor,
      action: 'user.invite',
      target: `user:${userId}`,
      reason: null,
      after: { byMail, expiresAt: new Date(expiresAt).toISOString() },
    });
    if (!byMail || email === null) return { invitationId, expiresAt, sentTo: null, deliveryIds: [] };
    const { deliveryIds } = await writeNotification(tx, {
      userId,
      told: { kind: 'people.invited', figures: { invitationId, expiresAt, timeZone } },
      locale,
      purchaseUrl: '',
      key: invitationId,
      now,
      outward,
      to: email,
    });
    return { invitationId, expiresAt, sentTo: email, deliveryIds };
  });
}

function lockPerson(tx: Tx, userId: number) {
  return first(
    sql<{
      email: string | null;
      issuer: string | null;
      locale: Locale;
      timeZone: string;
      today: number;
      now: Instant;
    }>`select u.email, u.issuer, u.locale, a.time_zone as "timeZone", ${instantOf(tx)} as now,
      (select count(*)::int from invitations i where i.user_id = u.id and i.created_at > ${tx.clock()} - interval '24 hours') as today
    from users u join accounts a on a.user_id = u.id where u.id = ${userId} for no key update of u`,
    tx,
  ).then((person) => {
    if (person === null) throw new AppError('not_found');
    return person;
  });
}

const columns = columnsOf(Invitation, 'i', { userId: 'userId', keyId: 'keyId' });

/**
 * Gives whoever has the link the person's first key. While nobody has used that key the link gives another in its
 * place, so that an answer that was lost locks nobody out; then it is good no more.
 * @param link.byMail it came by mail: then the mailbox is the person's, and gets their mail from now on.
 * @throws AppError not_found for one that has ended, expired, given a key that was used, or is not known.
 */
export async function acceptInvitation(
  database: Database,
  link: { invitationId: string; byMail: boolean },
): Promise<{ userId: number; token: string }> {
  const { secret, hash, hint } = mintSecret();
  return database.transaction(async (tx) => {
    const found = await first(
      sql<{ userId: number; keyId: number | null; isUsed: boolean; email: string | null }>`select ${columns},
        (select email from users where id = i.user_id) as email,
        exists (select 1 from api_keys k where k.id = i.key_id and (k.last_used_at is not null or k.revoked_at is not null)) as "isUsed"
      from invitations i where id = ${link.invitationId} and by_mail = ${link.byMail} and ended_at is null
        and expires_at > ${tx.clock()} for no key update`,
      tx,
    );
    if (found === null || found.isUsed) throw new AppError('not_found');
    const { userId, keyId, email } = found;
    if (keyId !== null)
      tx.write(sql`update api_keys set revoked_at = now() where id = ${keyId} and revoked_at is null`);
    const key = await one(
      sql<{ id: number }>`insert into api_keys (user_id, token_hash, token_hint) values (${userId}, ${hash}, ${hint})
        returning id::float8 as id`,
      tx,
    );
    await sql`update invitations set key_id = ${key.id} where id = ${link.invitationId}`.execute(tx);
    if (link.byMail && email !== null) {
      await sql`insert into addresses (user_id, email, verified_at) values (${userId}, ${email}, ${tx.clock()})
        on conflict (user_id) do nothing`.execute(tx);
      await sql`delete from suppressions where hash = ${hashOfAddress(sql`${email}::text`)}`.execute(tx);
    }
    return { userId, token: secret };
  });
}
