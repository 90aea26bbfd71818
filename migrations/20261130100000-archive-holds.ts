import { Migration } from '@mikro-orm/migrations';

/**
 * Holds and attempts of months that are over are half of what grows. A debit kept its hold from being archived by a
 * foreign key. It is still refused without one, when it is booked; later the hold may go.
 */
export class ArchiveHolds extends Migration {
  override readonly name = '20261130100000-archive-holds';

  override up(): void {
    this.addSql(REFUSE_A_DEBIT_WITHOUT_ITS_HOLD);
    this.addSql(
      `create trigger ledger_debits_have_a_hold before insert on ledger_entries for each row when (new.kind = 'debit') execute function refuse_a_debit_without_its_hold()`,
    );
    this.addSql('alter table ledger_entries drop constraint ledger_entries_hold_id_fkey');
  }
}

const REFUSE_A_DEBIT_WITHOUT_ITS_HOLD = `
create function refuse_a_debit_without_its_hold() returns trigger language plpgsql as $$
begin
  if not exists (select 1 from holds where id = new.hold_id and turn_id = new.turn_id) then
    raise exception 'turn % has no hold %', new.turn_id, new.hold_id using errcode = 'integrity_constraint_violation', constraint = 'ledger_debits_have_a_hold';
  end if;
  return new;
end $$;
`;
