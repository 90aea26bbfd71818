import { Migration } from '@mikro-orm/migrations';

/**
 * While one deployment replaced another, processes of both that started in turn published their rates over each
 * other's. The processes that run are known here, with the order in which their catalogues were deployed.
 */
export class LetTheNewestDeploymentSetRates extends Migration {
  override readonly name = '20261130105300-let-the-newest-deployment-set-rates';

  override up(): void {
    this.addSql(
      'create table rate_publishers (id uuid primary key, catalogue text not null, deployed integer not null, seen_at timestamptz not null)',
    );
  }
}
