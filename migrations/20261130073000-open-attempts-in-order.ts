import { Migration } from '@mikro-orm/migrations';

/**
 * Temporal takes a worker that says nothing for lost, and gives its task out again with the next number. One that wakes
 * up late must not open an attempt any more: it would fence the worker that is well.
 */
export class OpenAttemptsInOrder extends Migration {
  override readonly name = '20261130073000-open-attempts-in-order';

  override up(): void {
    this.addSql('alter table attempts add column temporal_attempt integer');
    this.addSql(REFUSE_A_LATE_ATTEMPT);
    this.addSql(
      'create trigger attempts_open_in_order before insert on attempts for each row execute function refuse_a_late_attempt()',
    );
  }
}

const REFUSE_A_LATE_ATTEMPT = `
create function refuse_a_late_attempt() returns trigger language plpgsql as $$
begin
  if exists (select 1 from attempts where turn_id = new.turn_id and run_id = new.run_id and temporal_attempt > new.temporal_attempt) then
    raise exception 'a later task of run % has opened an attempt of turn %', new.run_id, new.turn_id
      using errcode = 'integrity_constraint_violation', constraint = 'attempts_open_in_order';
  end if;
  return new;
end $$;
`;
