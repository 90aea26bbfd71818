import { Migration } from '@mikro-orm/migrations';

/** Alerts by level and period, what people are told, and an outbox row for each channel of a notification. */
export class CreateAlertsAndNotifications extends Migration {
  override readonly name = '20261124-create-alerts-and-notifications';

  override up(): void {
    this.addSql(ALERTS);
    this.addSql(NOTIFICATIONS);
  }
}

const ALERTS = `
create table alerts (
  id bigint generated always as identity primary key,
  account_id bigint not null references accounts (id),
  period_id bigint not null references periods (id),
  level text not null constraint alerts_level_is_known check (level in ('WARNING', 'CRITICAL')),
  -- The how manieth of its level in the period: decided under the account's lock, before anything is sent.
  nth integer not null constraint alerts_nth_is_positive check (nth > 0),
  used_tokens token_count not null,
  total_tokens token_count not null,
  created_at timestamptz not null,
  constraint alerts_one_a_level_and_time unique (account_id, period_id, level, nth)
);
`;

const NOTIFICATIONS = `
create table notifications (
  id bigint generated always as identity primary key,
  user_id bigint not null references users (id),
  alert_id bigint not null references alerts (id),
  level text not null constraint notifications_level_is_known check (level in ('WARNING', 'CRITICAL')),
  -- In the reader's language, as it stood then.
  title text not null,
  body text not null,
  purchase_url text not null,
  created_at timestamptz not null,
  read_at timestamptz,
  constraint notifications_one_a_reader_and_alert unique (alert_id, user_id)
);
create index notifications_newest_of_user on notifications (user_id, id desc);
create index notifications_unread_of_user on notifications (user_id, id desc) where read_at is null;

-- The outbox: written with the notification, worked off by a sender of each channel. In the app it is delivered by being there.
create table deliveries (
  notification_id bigint not null references notifications (id),
  channel text not null constraint deliveries_channel_is_a_word check (channel ~ '^[a-z_]+$'),
  state text not null default 'pending' constraint deliveries_state_is_known check (state in ('pending', 'delivered', 'failed')),
  attempts integer not null default 0,
  due_at timestamptz not null,
  ended_at timestamptz,
  error_code text,
  primary key (notification_id, channel),
  constraint deliveries_end_when_they_are_over check ((ended_at is null) = (state = 'pending'))
);
create index deliveries_due on deliveries (channel, due_at) where state = 'pending';
`;
