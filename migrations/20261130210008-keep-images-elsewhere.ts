import { Migration } from '@mikro-orm/migrations';

/**
 * Images may be kept in a store that speaks S3. What is on its way there, and what nothing names any more, is written
 * down here, so that no crash leaves it there. All of it goes with the file; an export says nothing of it.
 */
export class KeepImagesElsewhere extends Migration {
  override readonly name = '20261130210008-keep-images-elsewhere';

  override up(): void {
    // The next migration looks at the rows that are there: this one's lock keeps everybody away from the table.
    this.addSql(`alter table files add column object_hash text,
      add constraint files_elsewhere_are_images_with_their_hash check (object_hash is null or (width is not null and object_hash ~ '^[0-9a-f]{64}$')) not valid`);
    this.addSql(`create table loose_objects (
      file_id uuid primary key,
      -- Of an upload under way: whose quota it counts in, and with how much.
      user_id bigint constraint loose_objects_user_id_fkey references users (id),
      size integer,
      noted_at timestamptz not null default now(),
      remove_at timestamptz not null,
      constraint loose_objects_under_way_have_somebody_and_a_size check ((user_id is null) = (size is null) and size > 0)
    )`);
    this.addSql('create index loose_objects_due on loose_objects (remove_at)');
    this.addSql('create index loose_objects_of_user on loose_objects (user_id) where user_id is not null');
    this.addSql('create index loose_objects_by_age on loose_objects (noted_at) where user_id is null');
    this.addSql(LET_GO_OF_AN_OBJECT);
    this.addSql(
      'create trigger files_let_go_of_their_objects after delete on files for each row when (old.object_hash is not null) execute function let_go_of_an_object()',
    );
  }
}

/** By whatever statement a file goes, and by whichever version of the program. */
const LET_GO_OF_AN_OBJECT = `
create function let_go_of_an_object() returns trigger language plpgsql as $$
begin
  insert into loose_objects (file_id, remove_at) values (old.id, now());
  return null;
end $$;
`;
