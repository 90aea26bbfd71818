import { Migration } from '@mikro-orm/migrations';

/**
 * Texts of the OpenAI door whose time is over are found by their age, however many are kept. Those that are there when
 * this runs count as the oldest: the turn's end, which is looked at as well, says when they are due.
 */
export class EraseTheOldestFirst extends Migration {
  override readonly name = '20261130153900-erase-the-oldest-first';

  override up(): void {
    this.addSql(`alter table turn_prompts add column asked_at timestamptz not null default '-infinity'`);
    this.addSql('alter table turn_prompts alter column asked_at set default now()');
    // The table came with the same release.
    this.addSql('create index turn_prompts_by_age on turn_prompts (asked_at) where erased_at is null');
    this.addSql('drop index turn_prompts_to_erase');
  }
}
