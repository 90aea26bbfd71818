import { Migration } from '@mikro-orm/migrations';

/**
 * Images and texts that people attach to their questions. Every column is erased with the last conversation that shows
 * the file, and an export says their names.
 */
export class KeepFiles extends Migration {
  override readonly name = '20261130175815-keep-files';

  override up(): void {
    this.addSql(`create table files (
      id uuid primary key,
      user_id bigint not null constraint files_user_id_fkey references users (id),
      name text not null,
      media_type text not null,
      size integer not null,
      width integer,
      height integer,
      -- Of a text: its tokens as the model reads it, by encoding.
      text_tokens jsonb,
      -- SHA-256 of the name and the bytes that were sent.
      sent_hash bytea not null,
      idempotency_key text,
      created_at timestamptz not null default now(),
      constraint files_have_something check (size > 0),
      constraint files_are_images_or_texts check ((width is null) = (height is null) and (width is null) <> (text_tokens is null) and width > 0 and height > 0)
    )`);
    this.addSql(
      'create unique index files_idempotency_key_is_unique on files (user_id, idempotency_key) where idempotency_key is not null',
    );
    this.addSql('create index files_of_user on files (user_id, created_at)');
    this.addSql('create index files_by_age on files (created_at)');
    this.addSql(`create table file_contents (
      file_id uuid primary key constraint file_contents_file_id_fkey references files (id) on delete cascade,
      content bytea not null
    )`);
    // What is stored is compressed already.
    this.addSql('alter table file_contents alter column content set storage external');
    this.addSql(`create table turn_files (
      turn_id uuid not null constraint turn_files_turn_id_fkey references turns (id) on delete cascade,
      position smallint not null constraint turn_files_have_a_place check (position >= 0),
      file_id uuid not null constraint turn_files_file_id_fkey references files (id),
      primary key (turn_id, position),
      constraint turn_files_show_a_file_once unique (turn_id, file_id)
    )`);
    this.addSql('create index turn_files_of_file on turn_files (file_id)');
  }
}
