import { Migration } from '@mikro-orm/migrations';

/** What is left of a grant is asked for each time it is reversed: without this, of all entries of its account. */
export class FindReversalsByGrant extends Migration {
  override readonly name = '20261125-find-reversals-by-grant';

  override up(): void {
    this.addSql(
      'create index ledger_reversals on ledger_entries (reverses_id) include (tokens) where reverses_id is not null',
    );
  }
}
