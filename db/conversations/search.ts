import { sql, type RawBuilder } from 'kysely';

/** Of all turns in which every pair of letters of a search occurs, the newest so many are looked at. */
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
 * `candidates (id, conversation_id)`: the person's turns that have all pairs of letters of `search`, and so may contain
 * it. No text is read for it. The keys hold their person, so that only the index of texts serves this; `user_id` as a
 * condition would let a plan compute the keys of all texts of the person instead.
 */
export function candidates(userId: number, search: string): RawBuilder<unknown> {
  const terms = sql`search_terms(${userId}::bigint, ${search})`;
  return sql`candidates as materialized (
      select id, conversation_id from turns
      where ended_at is not null and ever_admitted and erased_at is null and not is_api and cardinality(${terms}) > 0
        and (search_keys(user_id, question) @> ${terms} or search_keys(user_id, answer) @> ${terms})
      order by created_at desc, id desc limit ${MOST_READ}
    )`;
}

/**
 * `found`: the newest place in a conversation `c` with its `turn_ids` where `search` truly stands; no row where it does
 * not. Bringing texts into one form takes most of a search's time, so this is for the conversations of one page, one
 * after the other, and each text is brought into it once (`offset 0` keeps the planner from writing it out wherever it
 * is used). A text whose small letters are as many as its own is shown as it was written, any other in small letters,
 * because places are counted there.
 */
export function placeOf(search: string): RawBuilder<unknown> {
  return sql`select json_build_object('turnId', t.id, 'sequence', t.sequence, 'role', role,
        'before', substr(shown, greatest(at - ${AROUND.before}, 1), least(at - 1, ${AROUND.before})),
        'match', substr(shown, at, length(needle)),
        'after', substr(shown, at + length(needle), ${AROUND.after})) as found
      from turns t cross join lateral (
        select role, at, needle, case when length(folded) = length(content) then content else folded end as shown
        from (values (0, 'user', t.question), (1, 'assistant', t.answer)) as m(part, role, content)
          cross join lateral (select ${folded(sql`content`)} as folded, search_text(${search}) as needle offset 0) f
          cross join lateral (select strpos(folded, needle) as at offset 0) p
        where at > 0 order by part limit 1
      ) said
      where t.conversation_id = c.id and t.id = any(c.turn_ids) order by t.sequence desc limit 1`;
}

/** `search_text` of a text, sooner: nearly all texts are NFKC already, and to see so takes a part of the time. */
function folded(content: RawBuilder<unknown>): RawBuilder<unknown> {
  return sql`case when ${content} is nfkc normalized then lower(${content}) else search_text(${content}) end`;
}
