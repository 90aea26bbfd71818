import { Migration } from '@mikro-orm/migrations';

/** A retry joins the turn of a connection that was lost with its process. Null of turns of before. */
export class KnowWhoWaits extends Migration {
  override readonly name = '20261130230001-know-who-waits';

  override up(): void {
    this.addSql('alter table turn_prompts add column waiting_process uuid');
  }
}
