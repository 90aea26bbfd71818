import { Migration } from '@mikro-orm/migrations';

/** Whom a client of the OpenAI door asked for, in its own words: usage is counted by it, money never. */
export class LabelTurnsOfTheDoor extends Migration {
  override readonly name = '20261130170000-label-turns-of-the-door';

  override up(): void {
    this.addSql(
      `alter table turn_prompts add column label text,
         add constraint turn_prompts_label_is_short check (length(label) >= 1 and length(label) <= 64)`,
    );
  }
}
