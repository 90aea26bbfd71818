import { Migration } from '@mikro-orm/migrations';

/** A process that has no store asks at its start whether there are images in one. */
export class FindImagesElsewhere extends Migration {
  override readonly name = '20261130210010-find-images-elsewhere';

  override isTransactional(): boolean {
    return false;
  }

  override up(): void {
    this.addSql('set lock_timeout = 0');
    this.addSql('alter table files validate constraint files_elsewhere_are_images_with_their_hash');
    this.addSql('drop index concurrently if exists files_elsewhere');
    this.addSql('create index concurrently files_elsewhere on files (id) where object_hash is not null');
    this.addSql('reset lock_timeout');
  }
}
