import { Migration } from '@mikro-orm/migrations';

/** Reads all turns while others write to them. */
export class CheckOwnInstructions extends Migration {
  override readonly name = '20261130175818-check-own-instructions';

  override up(): void {
    this.addSql('alter table turns validate constraint turns_erased_hold_no_instructions');
  }
}
