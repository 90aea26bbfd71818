import { Migration } from '@mikro-orm/migrations';

/** A redrive that is asked for again by its key is the same redrive. */
export class RepeatRedrivesByKey extends Migration {
  override readonly name = '20261130103207-repeat-redrives-by-key';

  override up(): void {
    this.addSql(KEY);
  }
}

const KEY = `
alter table redrives add column idempotency_key text, add column request_hash bytea,
  add constraint redrives_one_per_key unique (admin_id, idempotency_key),
  add constraint redrives_key_and_request_go_together check ((idempotency_key is null) = (request_hash is null));
`;
