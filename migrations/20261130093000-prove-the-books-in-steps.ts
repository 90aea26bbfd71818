import { Migration } from '@mikro-orm/migrations';

/**
 * The proof of the counters used to add up all entries of every account that had moved: 10 s at 3 million rows. These
 * tables remember how far it has come, so that each entry is added up once.
 */
export class ProveTheBooksInSteps extends Migration {
  override readonly name = '20261130093000-prove-the-books-in-steps';

  override up(): void {
    this.addSql(PROVED_PERIODS);
    this.addSql(PROOFS);
  }
}

const PROVED_PERIODS = `
create table proved_periods (
  period_id bigint primary key references periods (id),
  -- The newest entry in the sums below. Entries of one account are numbered in the order of their commits, because each
  -- is written under the account's lock.
  through_id bigint not null,
  purchased_tokens token_delta not null,
  debt_tokens token_delta not null,
  spent_purchased_tokens token_delta not null,
  spent_allowance_tokens token_delta not null,
  overage_tokens token_delta not null,
  used_tokens token_delta not null,
  -- Stands for what its rollups must be (db/money/proof.ts).
  rollup_mark numeric not null,
  -- Of its counters, its rollups and, for the account's newest period, the balance: how many differed at the last look.
  differs smallint not null default 0 constraint proved_periods_differ_in_three_things_at_most check (differs between 0 and 3)
) with (fillfactor = 70);
create index proved_periods_that_differ on proved_periods (period_id) where differs > 0;
`;

const PROOFS = `
create table proofs (
  id integer primary key constraint proofs_is_one_row check (id = 1),
  -- Every entry up to here is in the sums of its period.
  through_id bigint not null default 0,
  -- Where the look at periods that did not move goes on.
  swept_id bigint not null default 0,
  -- Of the last proof that was finished; null until there is one.
  completed_at timestamptz,
  mismatches integer not null default 0
);
insert into proofs (id) values (1);
`;
