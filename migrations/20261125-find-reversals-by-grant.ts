import { Migration } from '@mikro-orm/migrations';

/** Each reversal asks what is left of its grant. Without this index, it reads all entries of the account. */
export class FindReversalsByGrant extends Migration {
  override readonly name = '20261125-find-reversals-by-grant';

  override up(): void {
    this.addSql(
      'create index ledger_reversals on ledger_entries (reverses_id) include (tokens) where reverses_id is not null',
    );
  }
}
