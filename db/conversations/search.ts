import { sql, type RawBuilder } from 'kysely';

/** Of all turns in which every pair of letters of a search occurs, the newest so many are read. */
const MOST_READ = 1_000;
/** Characters that are shown before and after what was found. */
const AROUND = { before: 40, after: 80 } as const;

/** Where something was said. `before`, `match` and `after` are a piece of the text in one. */
export interface Found {
  readonly turnId: string;
  readonly sequence: number;
  readonly role: 'user' | 'assistant';
  readonly before: string;
  readonly match: string;
  readonly after: string;
}

/**
 * `said (conversation_id, found)`: the person's conversations in which `search` was asked or answered, each with the
 * newest place. The keys hold their person, so that only the index of texts serves this; `user_id` as a condition would
 * let a plan compute the keys of all texts of the person instead. A text whose small letters are as many as its own is
 * shown as it was written, any other in small letters, because places are counted there.
 */
export function said(userId: number, search: string): RawBuilder<unknown> {
  const terms = sql`search_terms(${userId}::bigint, ${search})`;
  return sql`candidates as materialized (
      select id, conversation_id, sequence, question, answer from turns
      where ended_at is not null and ever_admitted and erased_at is null and not is_api and cardinality(${terms}) > 0
        and (search_keys(user_id, question) @> ${terms} or search_keys(user_id, answer) @> ${terms})
      order by created_at desc, id desc limit ${MOST_READ}
    ), said as materialized (
      select distinct on (t.conversation_id) t.conversation_id, json_build_object('turnId', t.id, 'sequence', t.sequence, 'role', m.role,
          'before', substr(shown, greatest(at - ${AROUND.before}, 1), least(at - 1, ${AROUND.before})),
          'match', substr(shown, at, length(needle)),
          'after', substr(shown, at + length(needle), ${AROUND.after})) as found
      from candidates t
        cross join lateral (values (0, 'user', t.question), (1, 'assistant', t.answer)) as m(part, role, content)
        cross join lateral (select search_text(m.content) as folded, search_text(${search}) as needle) f
        cross join lateral (select strpos(folded, needle) as at, case when length(folded) = length(m.content) then m.content else folded end as shown) p
      where at > 0
      order by t.conversation_id, t.sequence desc, m.part
    )`;
}
