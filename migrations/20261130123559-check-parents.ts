import { Migration } from '@mikro-orm/migrations';

/** Looks at the rows that were there before the rule, while others write to the table. */
export class CheckParents extends Migration {
  override readonly name = '20261130123559-check-parents';

  override up(): void {
    this.addSql('alter table turns validate constraint turns_come_after_their_parent');
  }
}
