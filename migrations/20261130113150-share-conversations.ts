import { Migration } from '@mikro-orm/migrations';

/** Copies of conversations that anybody with a link may read. Every column goes with the conversation. */
export class ShareConversations extends Migration {
  override readonly name = '20261130113150-share-conversations';

  override up(): void {
    this.addSql(`create table share_links (
      id uuid primary key,
      conversation_id uuid not null constraint share_links_conversation_id_fkey references conversations (id),
      -- The last turn of the copy.
      turn_id uuid not null constraint share_links_turn_id_fkey references turns (id),
      -- SHA-256 of the token, which itself is nowhere.
      token_hash bytea not null constraint share_links_token_is_unique unique,
      title text,
      messages jsonb not null,
      created_at timestamptz not null default now(),
      expires_at timestamptz not null
    )`);
    this.addSql('create index share_links_of_conversation on share_links (conversation_id, id)');
    this.addSql('create index share_links_by_expiry on share_links (expires_at)');
  }
}
