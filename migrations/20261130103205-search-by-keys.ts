import { Migration } from '@mikro-orm/migrations';

/**
 * What text can be found by. `pg_trgm` takes Hangul for punctuation where the database's locale is C, and three
 * syllables are longer than most Korean words. So the keys of a text are its single characters and its pairs, hashed
 * with their owner as the seed: an index of keys holds everybody's, and a search reads only its owner's.
 *
 * `search_text` is what is compared: in one case and one form (NFKC), so that 가 finds what a Mac wrote as ᄀ and ᅡ.
 * `search_keys` are the keys of a text, `search_terms` those that a text must have to contain a query: the pairs of its
 * words, and the character of a word that has only one. The bodies are bound here, because an index is also built and
 * analysed where the search path is empty.
 */
export class SearchByKeys extends Migration {
  override readonly name = '20261130103205-search-by-keys';

  override up(): void {
    for (const make of SEARCH_FUNCTIONS) this.addSql(make);
  }
}

const SEARCH_TEXT = `
create function search_text(content text) returns text language sql immutable strict parallel safe
return lower(normalize(content, nfkc));
`;

// The cost is a tenth of a millisecond: no plan computes the keys of stored rows where an index has them.
const SEARCH_KEYS = String.raw`
create function search_keys(owner bigint, content text) returns bigint[] language sql immutable strict parallel safe cost 10000
begin atomic
  select coalesce(array_agg(distinct hashtextextended(gram, owner)), '{}')
  from (
    select unnest(array[letter, letter || following]) as gram
    from (
      select letter, lead(letter) over (order by place) as following
      from string_to_table(search_text(content), null) with ordinality as letters (letter, place)
    ) pairs
  ) grams where gram !~ '\s';
end;
`;

const SEARCH_TERMS = String.raw`
create function search_terms(owner bigint, query text) returns bigint[] language sql immutable strict parallel safe
begin atomic
  select coalesce(array_agg(distinct hashtextextended(gram, owner)), '{}')
  from (
    select case when following !~ '\s' then letter || following when before ~ '\s' then letter end as gram
    from (
      select letter, lag(letter, 1, ' ') over w as before, lead(letter, 1, ' ') over w as following
      from string_to_table(search_text(query), null) with ordinality as letters (letter, place)
      window w as (order by place)
    ) pairs
    where letter !~ '\s'
  ) grams where gram is not null;
end;
`;

/** In the order in which they name each other. */
export const SEARCH_FUNCTIONS = [SEARCH_TEXT, SEARCH_KEYS, SEARCH_TERMS] as const;
