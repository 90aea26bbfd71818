import { Migration } from '@mikro-orm/migrations';

/** Where the provider's receipt for the tax office (현금영수증) of a transfer or a deposit is. */
export class ShowCashReceipts extends Migration {
  override readonly name = '20261130134256-show-cash-receipts';

  override up(): void {
    this.addSql('alter table purchases add column cash_receipt_url text');
  }
}
