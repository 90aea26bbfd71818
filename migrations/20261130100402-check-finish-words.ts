import { Migration } from '@mikro-orm/migrations';

/** Looks at the rows that were there before the rule, while others write to the table. */
export class CheckFinishWords extends Migration {
  override readonly name = '20261130100402-check-finish-words';

  override up(): void {
    this.addSql('alter table attempts validate constraint attempts_finish_word_is_a_word');
  }
}
