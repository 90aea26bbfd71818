import { Migration } from '@mikro-orm/migrations';

/** Looks at the rows that were there before the rule, while others write to the table. */
export class CheckNames extends Migration {
  override readonly name = '20261130175821-check-names';

  override up(): void {
    this.addSql('alter table users validate constraint users_name_is_one_to_100_long');
  }
}
