import { Migration } from '@mikro-orm/migrations';

/**
 * A person's conversation may be erased: its turns stay without their texts, because debits name them. Text and hash of
 * an erased turn are empty rather than null, so that an older process that compares the hash finds another body.
 */
export class EraseConversations extends Migration {
  override readonly name = '20261130113148-erase-conversations';

  override up(): void {
    this.addSql(`alter table conversations add column pinned_at timestamptz, add column erased_at timestamptz,
      add constraint conversations_erased_are_blank check (erased_at is null or (title is null and listed_at is null)) not valid`);
    this.addSql(`alter table turns add column erased_at timestamptz, drop constraint turns_completed_have_an_answer,
      add constraint turns_completed_have_an_answer check (state <> 'completed' or answer is not null or erased_at is not null) not valid,
      add constraint turns_erased_hold_no_text check (erased_at is null or (question = '' and answer is null and length(body_hash) = 0 and ended_at is not null)) not valid`);
  }
}
