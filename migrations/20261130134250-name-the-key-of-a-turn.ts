import { Migration } from '@mikro-orm/migrations';

/** A turn says with which key of ours it was asked. Of older turns, and those of an older process, nothing says it. */
export class NameTheKeyOfATurn extends Migration {
  override readonly name = '20261130134250-name-the-key-of-a-turn';

  override up(): void {
    this.addSql(`alter table turns add column api_key_id bigint,
      add constraint turns_api_key_id_fkey foreign key (api_key_id) references api_keys (id) on delete set null not valid`);
  }
}
