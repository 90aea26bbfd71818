import { Migration } from '@mikro-orm/migrations';

/** Looks at the rows that were there before the rule, while others write to the table. */
export class CheckErasedAnswers extends Migration {
  override readonly name = '20261130134255-check-erased-answers';

  override up(): void {
    this.addSql('alter table turn_prompts validate constraint turn_prompts_erased_hold_no_answer');
  }
}
