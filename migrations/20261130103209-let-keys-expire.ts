import { Migration } from '@mikro-orm/migrations';

/** A key may end by itself; null: it is good until it is revoked. */
export class LetKeysExpire extends Migration {
  override readonly name = '20261130103209-let-keys-expire';

  override up(): void {
    this.addSql('alter table api_keys add column expires_at timestamptz');
  }
}
