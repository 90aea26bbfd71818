import { Migration } from '@mikro-orm/migrations';

/** Reports tell hours on the clock that their person had when each was booked, whenever they are made. */
export class KeepFormerTimeZones extends Migration {
  override readonly name = '20261130210012-keep-former-time-zones';

  override up(): void {
    this.addSql(`create table former_time_zones (
      id bigint generated always as identity primary key,
      account_id bigint not null constraint former_time_zones_account_id_fkey references accounts (id),
      time_zone text not null,
      until timestamptz not null
    )`);
    this.addSql('create index former_time_zones_of_account on former_time_zones (account_id, until, id)');
  }
}
