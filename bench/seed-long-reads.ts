import type { Client } from 'pg';
import type { Known } from './worst-inputs.ts';

const CONVERSATION = '00000000-0000-7000-8000-00000000aaaa';
const TURN = '00000000-0000-7001-8001-000000000001';

/**
 * Makes a person an admin, and gives them 5,000 conversations, one of them with 200 turns whose question and answer
 * have 32,000 Han characters each, and beside it as many of 8 such turns as are to be deleted. Triggers and foreign
 * keys are off meanwhile (a superuser may do so). It takes a minute or two, most of it for the index of what was said.
 */
export async function seedLongReads(
  client: Client,
  { userId, toDelete }: { userId: number; toDelete: number },
): Promise<Known> {
  await client.query('set session_replication_role = replica; set statement_timeout = 0');
  await client.query(`update users set role = 'admin' where id = ${userId}`);
  await client.query(`
    insert into conversations (id, user_id, title, listed_at)
    select gen_random_uuid(), ${userId}, n || '번째 대화: 오늘의 날씨와 저녁 메뉴', now() from generate_series(1, 5000) n`);
  const doomed = Array.from({ length: toDelete }, (_, n) => idOf('8000', n + 1));
  for (const [nth, id] of [CONVERSATION, ...doomed].entries()) {
    await client.query(`
      insert into conversations (id, user_id, title, last_sequence, listed_at)
      values ('${id}', ${userId}, '긴 대화', 200, now())`);
    await client.query(`
      insert into turns (id, user_id, account_id, conversation_id, sequence, state, model, body_hash, question,
        question_tokens, encoding, answer, attempt, ever_admitted, admitted_at, ended_at)
      select ('${idOf('8001', nth).slice(0, -6)}' || lpad(to_hex(n), 6, '0'))::uuid, u.id, a.id, '${id}', n,
        'completed', 'gpt-4.1-mini', '\\x00', text, 40000, 'o200k_base', text, 1, true, now(), now()
      from generate_series(1, ${nth === 0 ? 200 : 8}) n, users u join accounts a on a.user_id = u.id,
        (select string_agg(chr(19968 + (c * 7919) % 20000), '') as text from generate_series(1, 32000) c) long
      where u.id = ${userId}`);
  }
  await client.query('vacuum (analyze) conversations, turns');
  return { conversationId: CONVERSATION, turnId: TURN, userId, doomed };
}

function idOf(variant: string, n: number): string {
  return `00000000-0000-7001-${variant}-${n.toString(16).padStart(6, '0')}000000`;
}
