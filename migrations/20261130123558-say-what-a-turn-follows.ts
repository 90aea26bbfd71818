import { Migration } from '@mikro-orm/migrations';

/**
 * Conversations branch. Null, as in all rows of before: the newest admitted turn with a lower number. 0: none.
 */
export class SayWhatATurnFollows extends Migration {
  override readonly name = '20261130123558-say-what-a-turn-follows';

  override up(): void {
    this.addSql('alter table turns add column parent_sequence integer');
    this.addSql(
      'alter table turns add constraint turns_come_after_their_parent check (parent_sequence >= 0 and parent_sequence < sequence) not valid',
    );
  }
}
