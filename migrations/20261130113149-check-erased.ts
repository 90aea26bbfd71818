import { Migration } from '@mikro-orm/migrations';

/** Looks at the rows that were there before the rules, while others write to the tables. */
export class CheckErased extends Migration {
  override readonly name = '20261130113149-check-erased';

  override up(): void {
    this.addSql('alter table conversations validate constraint conversations_erased_are_blank');
    this.addSql('alter table turns validate constraint turns_completed_have_an_answer');
    this.addSql('alter table turns validate constraint turns_erased_hold_no_text');
  }
}
