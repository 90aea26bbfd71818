import { Migration } from '@mikro-orm/migrations';

/** Each period remembers which schedules are armed for it, so that not every debit has to ask Temporal. */
export class RememberArmedSchedules extends Migration {
  override readonly name = '20261124-remember-armed-schedules';

  override up(): void {
    this.addSql(PERIODS);
  }
}

// Written only under the account's lock, after Temporal has confirmed. `schedules check` compares them with what is
// armed.
const PERIODS = `
alter table periods
  add column reset_armed boolean not null default false,
  -- The level for which a check has been armed and run at once.
  add column alert_armed text constraint periods_alert_armed_is_a_level check (alert_armed in ('WARNING', 'CRITICAL'));
`;
