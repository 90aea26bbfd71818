import type { Client } from 'pg';

/** This person has a tenth of all messages; the others have about 900 each. */
export const BUSY_USER = 1;
/** A person like most. */
export const PLAIN_USER = 77;
const TURNS_A_CONVERSATION = 20;
const WORDS = 4_000;

/**
 * Makes half as many turns as `messages` inside the server, all answered: questions of about 8 words, answers of about
 * 50, in Korean syllables. Words are used as unevenly as in speech, a few very often: `여행` and
 * `가계부관리` are among the fifty most used, `석촌` and `벚꽃` among the least. Triggers and foreign keys are off
 * meanwhile (a superuser may do so).
 */
export async function seedSearch(client: Client, messages: number, say: (what: string) => void): Promise<void> {
  const turns = Math.floor(messages / 2);
  const users = Math.max(100, Math.floor(messages / 1_000));
  await client.query(
    "set session_replication_role = replica; set statement_timeout = 0; set maintenance_work_mem = '512MB'; set synchronous_commit = off",
  );
  const { rows: indexes } = await client.query<{ name: string; definition: string }>(
    `select indexname as name, indexdef as definition from pg_indexes where indexname in ('turns_by_text', 'conversations_by_title')`,
  );
  for (const { name } of indexes) await client.query(`drop index ${name}`);
  say('seeding conversations and turns');
  await client.query('select setseed(0.42)');
  // Syllables are numbers from 0xAC00 on; 400 of them are in use, and the sought words have ranks of their own.
  await client.query(`
    create temp table vocabulary as select array_agg(word order by n) as words from (
      select n, case n when 20 then '여행' when 30 then '가계부관리' when ${WORDS - 5} then '석촌' when ${WORDS - 9} then '벚꽃'
        else (select string_agg(chr(44032 + 28 * ((n * 7919 + i * 104729 + n * i) % 399)), '') from generate_series(1, 1 + n % 4) i) end as word
      from generate_series(1, ${WORDS}) n
    ) word`);
  await client.query(`
    create function pg_temp.said(words text[], count int) returns text language sql volatile as $$
      select string_agg(words[1 + floor(power(random(), 3) * ${WORDS})::int], ' ') from generate_series(1, count) $$`);
  await client.query(`
    insert into conversations (id, user_id, title, last_sequence, listed_at, created_at, updated_at)
    select ${uuid('n', '7000')}, ${userOf('n', users)}, pg_temp.said(words, 4), ${TURNS_A_CONVERSATION}, at, at, at
    from vocabulary, (select n, now() - n * interval '1 minute' as at from generate_series(0, ${Math.ceil(turns / TURNS_A_CONVERSATION)}) n) c`);
  await client.query(`
    insert into turns (id, user_id, account_id, conversation_id, sequence, state, model, body_hash, question, question_tokens, encoding, answer, attempt,
      ever_admitted, admitted_at, created_at, touched_at, ended_at)
    select ${uuid('n', '7001')}, ${userOf(`n / ${TURNS_A_CONVERSATION}`, users)}, 1, ${uuid(`(n / ${TURNS_A_CONVERSATION})`, '7000')}, n % ${TURNS_A_CONVERSATION} + 1,
      'completed', 'a', '\\x00', pg_temp.said(words, 5 + n % 7), 1, 'o200k_base', pg_temp.said(words, 30 + n % 41), 1, true, at, at, at, at
    from vocabulary, (select n, now() - n * interval '3 seconds' as at from generate_series(0, ${turns - 1}) n) t`);
  for (const { name, definition } of indexes) {
    say(`making ${name}`);
    await client.query(definition);
  }
  await client.query('vacuum (analyze) turns, conversations');
}

function userOf(conversation: string, users: number): string {
  return `case when ${conversation} % 10 = 0 then ${BUSY_USER} else 2 + (${conversation} * 7919) % ${users - 1} end`;
}

function uuid(number: string, version: string): string {
  return `('00000000-0000-${version}-8000-' || lpad(to_hex(${number}), 12, '0'))::uuid`;
}
