import { Migration } from '@mikro-orm/migrations';

/** What turns of the OpenAI door were asked, beside the turns. Old processes write neither. */
export class OpenTheOpenaiDoor extends Migration {
  override readonly name = '20261130113147-open-the-openai-door';

  override up(): void {
    this.addSql('alter table turns add column is_api boolean not null default false');
    this.addSql(TURN_PROMPTS);
  }
}

const TURN_PROMPTS = `
create table turn_prompts (
  turn_id uuid not null,
  api_key_id bigint,
  prompt jsonb,
  streamed boolean not null,
  first_delta_at timestamptz,
  left_at timestamptz,
  erased_at timestamptz,
  primary key (turn_id),
  constraint turn_prompts_turn_id_fkey foreign key (turn_id) references turns (id) on delete cascade,
  constraint turn_prompts_api_key_id_fkey foreign key (api_key_id) references api_keys (id) on delete set null,
  constraint turn_prompts_are_erased_whole check ((prompt is null) = (erased_at is not null))
);
create index turn_prompts_left on turn_prompts (left_at) where left_at is not null;
create index turn_prompts_to_erase on turn_prompts (turn_id) where erased_at is null;
`;
