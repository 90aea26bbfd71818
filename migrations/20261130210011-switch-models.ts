import { Migration } from '@mikro-orm/migrations';

/** Models of the catalogue that an admin has switched off: a row is one that is off. The audit log has who did it. */
export class SwitchModels extends Migration {
  override readonly name = '20261130210011-switch-models';

  override up(): void {
    this.addSql('create table models_off (model text primary key, since timestamptz not null default now())');
  }
}
