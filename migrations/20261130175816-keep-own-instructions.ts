import { Migration } from '@mikro-orm/migrations';

/**
 * What a person tells the model with each question, everywhere or in one conversation. A turn keeps the text that it
 * was judged with. An older process admits turns without it, and they run without it.
 */
export class KeepOwnInstructions extends Migration {
  override readonly name = '20261130175816-keep-own-instructions';

  override up(): void {
    this.addSql(`create table own_instructions (
      id bigint generated always as identity primary key,
      user_id bigint not null constraint own_instructions_user_id_fkey references users (id),
      -- Null: those of all conversations.
      conversation_id uuid constraint own_instructions_conversation_id_fkey references conversations (id) on delete cascade,
      version integer not null constraint own_instructions_version_is_positive check (version >= 1),
      text text not null,
      tokens integer not null constraint own_instructions_tokens_are_at_most_300 check (tokens >= 0 and tokens <= 300),
      updated_at timestamptz not null default now()
    )`);
    this.addSql(
      'create unique index own_instructions_of_person on own_instructions (user_id) where conversation_id is null',
    );
    this.addSql(
      'create unique index own_instructions_of_conversation on own_instructions (conversation_id) where conversation_id is not null',
    );
    this.addSql(`alter table turns add column instructions jsonb,
      add constraint turns_erased_hold_no_instructions check (erased_at is null or instructions is null) not valid`);
  }
}
