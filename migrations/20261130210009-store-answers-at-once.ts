import { Migration } from '@mikro-orm/migrations';

/** Nearly every answer is stored as its attempt left it. It was a transaction of seven statements; it is one. */
export class StoreAnswersAtOnce extends Migration {
  override readonly name = '20261130210009-store-answers-at-once';

  override up(): void {
    this.addSql(STORE_ANSWER_AT_ONCE);
  }
}

// Each statement of the function has a snapshot of its own, so attempt and hold are read as the last holder of the
// locks left them: account, conversation, turn. `at` is the time before the wait for them, which ends after 15 s; a
// hold with a minute to live has not expired meanwhile, for any other admission either. Nothing is written before all
// of it may be.
const STORE_ANSWER_AT_ONCE = `
create function store_answer_at_once(
  of_turn uuid, of_attempt integer, at timestamptz, ends_as text, written text, written_tokens integer, entries integer,
  used_prompt integer, used_cached integer, used_completion integer, used_reasoning integer, is_estimated boolean,
  ends_with text, end_word text, is_end_unknown boolean, request_id text, figures jsonb, first_ms integer, told jsonb
)
returns boolean language plpgsql as $$
declare
  held uuid;
begin
  perform 1 from accounts a join turns t on t.account_id = a.id join conversations c on c.id = t.conversation_id
    where t.id = of_turn and t.state = 'running' and t.attempt = of_attempt and t.answer_attempt is null
    for no key update of a, c, t;
  if not found then
    return false;
  end if;
  select h.id into held from attempts o join holds h on h.id = o.hold_id
    where o.turn_id = of_turn and o.number = of_attempt and o.state = 'open'
      and h.turn_id = of_turn and h.state = 'pending' and h.expires_at > at + interval '1 minute';
  if held is null then
    return false;
  end if;
  update holds set expires_at = 'infinity' where id = held;
  update attempts set state = case ends_as when 'completed' then 'answered' else 'stopped' end, ended_at = now(),
      finish_reason = ends_with, finish_word = end_word, finish_unknown = is_end_unknown, provider_request_id = request_id,
      provider_usage = figures, prompt_tokens = used_prompt, cached_tokens = used_cached,
      completion_tokens = used_completion, reasoning_tokens = used_reasoning, estimated = is_estimated,
      first_delta_ms = first_ms
    where turn_id = of_turn and number = of_attempt;
  if told is not null then
    update turn_prompts set answer = told where turn_id = of_turn;
  end if;
  update turns set answer = written, answer_tokens = written_tokens, answer_attempt = of_attempt, stream_entries = entries,
      finish_reason = ends_with, prompt_tokens = used_prompt, completion_tokens = used_completion,
      estimated = is_estimated, touched_at = clock_timestamp()
    where id = of_turn;
  return true;
end $$;
`;
