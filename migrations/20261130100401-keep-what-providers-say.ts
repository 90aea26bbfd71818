import { Migration } from '@mikro-orm/migrations';

/** How a provider put the end of an answer, and its own figures where ours count instead of them. */
export class KeepWhatProvidersSay extends Migration {
  override readonly name = '20261130100401-keep-what-providers-say';

  override up(): void {
    // The next migration looks at the rows that are there: this one's lock keeps everybody away from the table.
    this.addSql(`alter table attempts add column finish_word text,
      add column finish_unknown boolean not null default false,
      add column provider_usage jsonb,
      add constraint attempts_finish_word_is_a_word check (finish_word ~ '^[A-Za-z0-9_.-]{1,64}$') not valid`);
  }
}
