import { Migration } from '@mikro-orm/migrations';

/** Since when an account may not send, and an index by which admins find people. */
export class SuspendAccounts extends Migration {
  override readonly name = '20261124-suspend-accounts';

  override up(): void {
    this.addSql(SUSPENSION);
  }
}

// The column is on the account, whose row every admission locks, so that whoever waited for that lock reads the
// suspension as it is now.
const SUSPENSION = `
alter table accounts add column suspended_at timestamptz;
create index accounts_suspended on accounts (user_id) where suspended_at is not null;
create index users_by_email_prefix on users (email text_pattern_ops);
`;
