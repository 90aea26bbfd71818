import { Migration } from '@mikro-orm/migrations';

/** Codes that give tokens. Only their hashes are kept; an account redeems a code once. */
export class RedeemCodes extends Migration {
  override readonly name = '20261130134257-redeem-codes';

  override up(): void {
    this.addSql(`create table code_batches (
      id uuid primary key,
      tokens token_count not null,
      max_uses integer not null,
      expires_at timestamptz,
      reason text not null,
      made_by_id bigint constraint code_batches_made_by_id_fkey references users (id),
      idempotency_key text not null constraint code_batches_one_a_key unique,
      created_at timestamptz not null default now(),
      constraint code_batches_give_tokens check (tokens > 0 and max_uses > 0)
    )`);
    this.addSql('create index code_batches_newest on code_batches (created_at desc, id desc)');
    this.addSql(`create table redemption_codes (
      id bigint generated always as identity primary key,
      batch_id uuid not null constraint redemption_codes_batch_id_fkey references code_batches (id),
      code_hash bytea not null constraint redemption_codes_are_unique unique,
      hint text not null,
      max_uses integer not null,
      uses integer not null default 0,
      revoked_at timestamptz,
      constraint redemption_codes_are_used_as_often_as_they_may check (uses >= 0 and uses <= max_uses)
    )`);
    this.addSql('create index redemption_codes_of_batch on redemption_codes (batch_id, id)');
    this.addSql(`create table redemptions (
      code_id bigint not null constraint redemptions_code_id_fkey references redemption_codes (id),
      account_id bigint not null constraint redemptions_account_id_fkey references accounts (id),
      entry_id bigint not null constraint redemptions_entry_id_fkey references ledger_entries (id),
      created_at timestamptz not null default now(),
      primary key (code_id, account_id),
      constraint redemptions_entry_id_unique unique (entry_id)
    )`);
    this.addSql('create index redemptions_of_account on redemptions (account_id)');
  }
}
