import { Migration } from '@mikro-orm/migrations';

/** What an admin has taken for the price of a purchase whose payment has another amount. */
export class AcceptMismatches extends Migration {
  override readonly name = '20261130134258-accept-mismatches';

  override up(): void {
    this.addSql(`alter table purchases add column accepted_amount integer
      constraint purchases_are_accepted_for_money check (accepted_amount > 0 and accepted_amount <= 1000000000)`);
  }
}
