import { Migration } from '@mikro-orm/migrations';

/**
 * When it is to be found out whether a question shows a file: a day after it came, and when one lets go of it. Null:
 * one did at the last look. So a round looks at what is due, and not at all that people ever attached. Files of before
 * are looked at once, a day from now.
 */
export class LookAtFilesOnce extends Migration {
  override readonly name = '20261130230003-look-at-files-once';

  override up(): void {
    this.addSql("alter table files add column look_at timestamptz default now() + interval '24 hours'");
    this.addSql(LOOK_AT_FILES_AGAIN);
    this.addSql(
      'create trigger turn_files_have_their_files_looked_at after delete on turn_files referencing old table as gone for each statement execute function look_at_files_again()',
    );
  }
}

/**
 * By whatever statement a question lets go. The locks come first, in one order: a sweep that still saw the question
 * writes null, and is waited for. They are those of an erasure, so that a question which comes later waits, too.
 */
const LOOK_AT_FILES_AGAIN = `
create function look_at_files_again() returns trigger language plpgsql as $$
begin
  perform 1 from files where id in (select file_id from gone) order by id for update;
  update files set look_at = now() where id in (select file_id from gone) and look_at is null;
  return null;
end $$;
`;
