import { Migration } from '@mikro-orm/migrations';

/**
 * Where people get mail and what they have switched off; notifications of more kinds than alerts; and deliveries with
 * an id of their own, several a channel. The id is random, so that their table is written anew: it has a row an alert.
 */
export class SendNotificationsOut extends Migration {
  override readonly name = '20261130134252-send-notifications-out';

  override up(): void {
    this.addSql('create table installation_keys (name text primary key, key bytea not null)');
    this.addSql(`create table addresses (
      user_id bigint primary key constraint addresses_user_id_fkey references users (id),
      email text not null,
      verified_at timestamptz not null
    )`);
    this.addSql(`create table address_changes (
      id uuid primary key default gen_random_uuid(),
      user_id bigint not null constraint address_changes_user_id_fkey references users (id),
      email text not null,
      old_email text,
      created_at timestamptz not null,
      expires_at timestamptz not null,
      new_confirmed_at timestamptz,
      old_confirmed_at timestamptz,
      -- Made, or given up for a later one.
      ended_at timestamptz
    )`);
    this.addSql('create index address_changes_of_user on address_changes (user_id, created_at)');
    this.addSql('create index address_changes_to_address on address_changes (email, created_at)');
    // The address itself need not be kept to be left alone.
    this.addSql('create table suppressions (hash bytea primary key, reason text not null, at timestamptz not null)');
    this.addSql(`create table notification_preferences (
      user_id bigint not null constraint notification_preferences_user_id_fkey references users (id),
      kind text not null,
      channel text not null,
      enabled boolean not null,
      changed_at timestamptz not null,
      primary key (user_id, kind, channel)
    )`);
    this.addSql(`alter table notifications
      add kind text not null default 'usage.alert' constraint notifications_kind_is_a_word check (kind ~ '^[a-z]+\\.[a-z_]+$'),
      add key text,
      add locale text not null default 'ko' constraint notifications_locale_is_known check (locale in ('ko', 'en')),
      add figures jsonb,
      alter alert_id drop not null,
      alter level drop not null,
      add constraint notifications_alerts_have_a_level
        check ((alert_id is null) = (level is null) and (alert_id is null) = (key is not null))`);
    this.addSql(`alter table deliveries
      drop constraint deliveries_pkey,
      add id uuid default gen_random_uuid() constraint deliveries_pkey primary key,
      add address text not null default '',
      add unknowns integer not null default 0,
      add trying_since timestamptz,
      add queued_at timestamptz not null default now(),
      add answer text,
      add constraint deliveries_one_an_address unique (notification_id, channel, address)`);
  }
}
