import { Migration } from '@mikro-orm/migrations';

/** Reads all turns while others write to them. */
export class CheckTheKeysOfTurns extends Migration {
  override readonly name = '20261130134251-check-the-keys-of-turns';

  override up(): void {
    this.addSql('alter table turns validate constraint turns_api_key_id_fkey');
  }
}
