import { Migration } from '@mikro-orm/migrations';

/** How many files a question shows, and from which turn on a prompt has the files of earlier ones. */
export class ShowFiles extends Migration {
  override readonly name = '20261130175819-show-files';

  override up(): void {
    this.addSql('alter table turns add column file_count smallint not null default 0');
    this.addSql('alter table holds add column files_from integer');
  }
}
