import { Migration } from '@mikro-orm/migrations';

/**
 * Nearly every turn has one attempt, opened a moment after its admission. It was a transaction of seven statements on
 * the way to the model; it is one.
 */
export class OpenFirstAttemptsAtOnce extends Migration {
  override readonly name = '20261130175814-open-first-attempts-at-once';

  override up(): void {
    this.addSql(OPEN_FIRST_ATTEMPT);
  }
}

// Each statement of the function has a snapshot of its own, so the hold is read as the last holder of the locks left
// it. They are taken in the order that all code keeps: account, turn. `at` is the time before the wait for them, which
// ends after 15 s; a hold with a minute to live has not expired meanwhile, for any other admission either.
const OPEN_FIRST_ATTEMPT = `
create function open_first_attempt(of_turn uuid, by_run text, by_task integer, at timestamptz, hold_until timestamptz)
returns uuid language plpgsql as $$
declare
  held uuid;
begin
  perform 1 from accounts a join turns t on t.account_id = a.id
    where t.id = of_turn and t.state = 'accepted' and t.attempt = 0 and t.run_id = by_run and t.admitted_at is not null
      and t.answer_attempt is null and t.stop_requested_at is null
    for no key update of a, t;
  if not found then
    return null;
  end if;
  update holds set expires_at = hold_until
    where turn_id = of_turn and run_id = by_run and state = 'pending' and expires_at > at + interval '1 minute'
    returning id into held;
  if held is null then
    return null;
  end if;
  insert into attempts (turn_id, number, run_id, hold_id, temporal_attempt) values (of_turn, 1, by_run, held, by_task);
  update turns set state = 'running', attempt = 1, touched_at = clock_timestamp() where id = of_turn;
  return held;
end $$;
`;
