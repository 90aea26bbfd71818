import { Migration } from '@mikro-orm/migrations';

/**
 * Debits that used overage are the only ones that can lie above a ceiling. The metric `overshoot` is computed from
 * them.
 */
export class IndexOverageDebits extends Migration {
  override readonly name = '20261124-index-overage-debits';

  override up(): void {
    this.addSql(
      "create index ledger_overage_debits on ledger_entries (created_at) include (account_id, period_id) where kind = 'debit' and overage_delta > 0",
    );
  }
}
