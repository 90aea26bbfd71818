import type { ClientBase } from 'pg';

/**
 * What must be true of the money when all is quiet, as statements of their own: none of the program's functions is
 * used, so that a mistake in one cannot hide itself. Each selects what is wrong, one sentence a row.
 */
export const CHECKS = {
  'a completed turn has exactly one debit': `
    select format('turn %s is completed with %s debits', t.id, count(e.id)) as what
    from turns t left join ledger_entries e on e.turn_id = t.id and e.kind = 'debit'
    where t.state = 'completed' group by t.id having count(e.id) <> 1`,

  'a debit is what its turn used, by the rate of its hold': `
    select format('turn %s used %s + %s and was debited %s', t.id, t.prompt_tokens, t.completion_tokens, e.tokens) as what
    from ledger_entries e join turns t on t.id = e.turn_id join holds h on h.id = e.hold_id
    where e.kind = 'debit' and (
      (e.tokens, e.tokens, e.prompt_tokens, e.completion_tokens, e.estimated, e.rate_id, h.turn_id) is distinct from (
        t.debited_tokens,
        ((e.prompt_tokens - e.cached_tokens)::bigint * h.rate_input + e.cached_tokens::bigint * h.rate_cached_input
          + e.completion_tokens::bigint * h.rate_output + 999) / 1000,
        t.prompt_tokens, t.completion_tokens, t.estimated, h.rate_id, t.id))`,

  'only a turn that was answered is debited': `
    select format('turn %s is %s and was debited %s', t.id, t.state, e.tokens) as what
    from ledger_entries e join turns t on t.id = e.turn_id where t.state not in ('completed', 'stopped')`,

  'a turn that says what it was debited has that debit': `
    select format('turn %s says %s and has no debit', t.id, t.debited_tokens) as what
    from turns t where t.debited_tokens > 0 and not exists (select 1 from ledger_entries e where e.turn_id = t.id)`,

  'every hold has ended, a settled one with its debit': `
    select format('hold %s of turn %s is %s with %s debits', h.id, h.turn_id, h.state, count(e.id)) as what
    from holds h left join ledger_entries e on e.hold_id = h.id group by h.id
    having h.state = 'pending' or count(e.id) <> (h.state = 'settled')::int`,

  'no turn is stuck': `
    select format('turn %s is still %s', id, state) as what from turns where state in ('accepted', 'running')`,

  'balances equal the sums of the entries': `
    select format('account %s has %s and owes %s, its entries say %s and %s', a.id, a.purchased_tokens, a.debt_tokens, s.purchased, s.debt) as what
    from accounts a cross join lateral (
      select coalesce(sum(purchased_delta), 0) as purchased, coalesce(sum(debt_delta), 0) as debt from ledger_entries where account_id = a.id) s
    where (a.purchased_tokens, a.debt_tokens) <> (s.purchased, s.debt)`,

  'counters of a period equal the sums of its entries': `
    select format('period %s has used %s, its entries say %s', p.id, p.used_tokens, s.used) as what
    from periods p cross join lateral (
      select coalesce(sum(used_delta), 0) as used, coalesce(sum(spent_purchased_delta), 0) as purchased,
        coalesce(sum(spent_allowance_delta), 0) as allowance, coalesce(sum(overage_delta), 0) as overage
      from ledger_entries where period_id = p.id) s
    where (p.used_tokens, p.spent_purchased_tokens, p.spent_allowance_tokens, p.overage_tokens)
      <> (s.used, s.purchased, s.allowance, s.overage)`,

  'rollups equal the sums of the entries': `
    with booked as (
      select period_id, day, rate_id, count(rate_id)::int as turns, coalesce(sum(prompt_tokens), 0)::bigint as prompt, coalesce(sum(cached_tokens), 0)::bigint as cached,
        coalesce(sum(completion_tokens), 0)::bigint as completion, sum(used_delta)::bigint as used
      from ledger_entries where used_delta <> 0 group by period_id, day, rate_id
    ), rolled_up as (
      select period_id, day, rate_id, turns, prompt_tokens::bigint, cached_tokens::bigint, completion_tokens::bigint, used_tokens::bigint from usage_rollups
    )
    select format('the rollups of period %s on %s differ', period_id, day) as what
    from ((table booked except table rolled_up) union (table rolled_up except table booked)) wrong`,

  'what keys have used equals the debits of their turns': `
    with booked as (
      select t.api_key_id as key_id, e.period_id, sum(e.used_delta)::bigint as used, count(*)::int as turns
      from ledger_entries e join turns t on t.id = e.turn_id where e.kind = 'debit' and t.api_key_id is not null group by 1, 2
    ), counted as (select key_id, period_id, used_tokens::bigint, turns from key_usage)
    select format('what key %s has used in period %s differs', key_id, period_id) as what
    from ((table booked except table counted) union (table counted except table booked)) wrong`,

  'nobody used more than 105 % but for what providers charged beyond a hold and reversals': `
    with moments as (
      select e.id, e.account_id, e.kind, e.over_hold, e.ceiling_moved,
        sum(e.used_delta) over so_far as used,
        floor((p.allowance_tokens + sum(e.purchased_delta) over of_account + sum(e.spent_purchased_delta) over so_far) * 105 / 100) as ceiling,
        sum(case when e.kind = 'debit' then greatest(0, e.tokens - h.tokens)
          when e.kind = 'reversal' then ceil(-least(0, e.purchased_delta) * 1.05) + 1 else 0 end) over so_far as explained
      from ledger_entries e join periods p on p.id = e.period_id left join holds h on h.id = e.hold_id
      window so_far as (partition by e.period_id order by e.id), of_account as (partition by e.account_id order by e.id)
    )
    select format('entry %s brought account %s to %s of a ceiling of %s, and %s is explained (%s)', id, account_id, used, ceiling, explained,
      case when over_hold then 'over_hold' when ceiling_moved then 'ceiling_moved' else 'not flagged' end) as what
    from moments where kind = 'debit' and used > ceiling and (used - ceiling > explained or not (over_hold or ceiling_moved))`,

  'every grant and reversal of an admin is in the audit log': `
    select format('entry %s (%s) has no audit entry', e.id, e.kind) as what from ledger_entries e
    where not exists (select 1 from purchase_bookings b where b.entry_id = e.id)
      and not exists (select 1 from redemptions r where r.entry_id = e.id) and e.kind in ('grant', 'reversal') and not exists (
      select 1 from audit_entries where action in ('tokens.grant', 'tokens.reverse') and after->>'entryId' = e.id::text)`,
} as const satisfies Record<string, string>;

/** @returns what is wrong, each sentence after the rule that it breaks; some of each when there is much. */
export async function findWrongBooks(client: ClientBase): Promise<string[]> {
  const found: string[] = [];
  for (const [rule, statement] of Object.entries(CHECKS)) {
    const { rows } = await client.query<{ what: string }>(statement);
    found.push(...rows.slice(0, 10).map(({ what }) => `${rule}: ${what}`));
    if (rows.length > 10) found.push(`${rule}: ${rows.length - 10} more`);
  }
  return found;
}
