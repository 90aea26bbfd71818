import { Migration } from '@mikro-orm/migrations';

/**
 * Lists, counts and details of turns for admins: indexes of the turn filter, when a turn was replayed, what the
 * provider said.
 */
export class FindTurnsForAdmins extends Migration {
  override readonly name = '20261124-find-turns-for-admins';

  override up(): void {
    this.addSql(ATTEMPTS);
    this.addSql(TURNS);
  }
}

const ATTEMPTS = `
alter table attempts
  add column provider_status integer,
  -- One word of the provider's, such as invalid_api_key; its sentences may quote the prompt.
  add column provider_code text constraint attempts_provider_code_is_a_word check (provider_code ~ '^[A-Za-z0-9_.-]{1,64}$');
`;

/**
 * One index for each kind of filter over ten million turns. The rest of a filter is checked on the rows that the index
 * finds. Indexes over all turns have only columns that never change. The others hold the few turns with an error, so
 * that an answered turn is written to none of them.
 */
const TURNS = `
alter table turns add column replayed_at timestamptz;

create index turns_newest on turns (created_at desc, id desc);
create index turns_newest_of_user on turns (user_id, created_at desc, id desc);
create index turns_newest_of_model on turns (model, created_at desc, id desc);
create index turns_without_answer on turns (state, created_at desc, id desc, model) where state in ('stopped', 'failed', 'refused');
create index turns_by_error on turns (error_code, created_at desc, id desc, state, model) where error_code is not null;
create index turns_by_error_of_user on turns (user_id, error_code, created_at desc, id desc, state) where error_code is not null;
create index turns_replayed on turns (created_at desc, id desc) where replayed_at is not null;
`;
