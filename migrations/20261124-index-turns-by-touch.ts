import { Migration } from '@mikro-orm/migrations';

/** At every change, a reader of an account's feed asks for the turns touched since its last look. */
export class IndexTurnsByTouch extends Migration {
  override readonly name = '20261124-index-turns-by-touch';

  override up(): void {
    this.addSql('create index turns_touched_of_user on turns (user_id, touched_at)');
  }
}
