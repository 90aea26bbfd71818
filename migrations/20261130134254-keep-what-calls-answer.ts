import { Migration } from '@mikro-orm/migrations';

/** What turns of the OpenAI door answer beside their text: calls of tools, a refusal, how likely each token was. */
export class KeepWhatCallsAnswer extends Migration {
  override readonly name = '20261130134254-keep-what-calls-answer';

  override up(): void {
    // The next migration looks at the rows that are there: this one's lock keeps everybody away from the table.
    this.addSql(`alter table turn_prompts add column answer jsonb,
      add constraint turn_prompts_erased_hold_no_answer check (erased_at is null or answer is null) not valid`);
  }
}
