import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { sql } from 'kysely';
import {
  createConversation,
  getConversation,
  listConversations,
  updateConversation,
} from '../../db/conversations/conversations.ts';
import { planRedrive } from '../../db/redrives/plan.ts';
import { createRedrive } from '../../db/redrives/redrives.ts';
import { beginReplay, countProgress } from '../../db/redrives/redrive-turns.ts';
import { acceptTurn } from '../../db/turns/accept.ts';
import { eraseConversation, findErased } from '../../db/conversations/erase.ts';
import { eraseTexts } from '../../db/turns/prompts.ts';
import { writeInstructions } from '../../db/conversations/own-instructions.ts';
import { purgeRefused } from '../../db/turns/purge.ts';
import { replayTurn } from '../../db/turns/replay.ts';
import { findTurn, reopenTurn } from '../../db/turns/turns.ts';
import { CLI_ACTOR } from '../../domain/audit.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { explainRun, recordStatements } from '../support/plans.ts';
import {
  accept,
  conversationOf,
  createPerson,
  debitsOf,
  failTurn,
  newId,
  ofDoor,
  only,
  request,
  reserve,
  runTurn,
  type Person,
} from './fixture.ts';

let db: TestDatabase;
let person: Person;
beforeAll(async () => {
  db = await createTestDatabase();
});
afterAll(() => db.close());
beforeEach(async () => {
  person = await createPerson(db.database);
});

const erase = (conversationId: string, userId = person.userId) =>
  eraseConversation(db.database, { conversationId, userId });
const listed = async () =>
  (
    await listConversations(db.database, {
      userId: person.userId,
      search: null,
      archived: null,
      limit: 50,
      cursor: null,
    })
  ).items.length;

async function failedTurn(send: Parameters<typeof accept>[2] = {}): Promise<string> {
  const { turnId } = await accept(db.database, person, send);
  await reserve(db.database, turnId);
  await fail(turnId);
  return turnId;
}
const fail = (turnId: string, runId?: string) => failTurn(db.database, turnId, runId);

/** Every text of the conversation in the database, wherever it may stand. */
async function textsOf(word: string): Promise<string[]> {
  const { rows } = await sql<{ place: string }>`
    select 'turns' as place from turns t where t::text like ${`%${word}%`}
    union all select 'conversations' from conversations c where c::text like ${`%${word}%`}
    union all select 'turn_prompts' from turn_prompts p where p::text like ${`%${word}%`}
    union all select 'share_links' from share_links s where s::text like ${`%${word}%`}
    union all select 'own_instructions' from own_instructions o where o::text like ${`%${word}%`}
    union all select 'attempts' from attempts a where a::text like ${`%${word}%`}
    union all select 'ledger_entries' from ledger_entries e where e::text like ${`%${word}%`}`.execute(db.database.sql);
  return rows.map(({ place }) => place);
}

describe('a conversation that its person deletes', () => {
  test('is gone for good with every text, and its debits stay', async () => {
    const turnId = await runTurn(db.database, person, { send: { message: 'a camellia' }, text: 'camellias bloom' });
    const conversationId = await conversationOf(db.database, turnId);
    const told = { text: 'camellias only', tokens: 2, version: null };
    await writeInstructions(db.database, { userId: person.userId, conversationId }, told);
    await failedTurn({ conversationId, message: 'camellia again' });
    const before = await debitsOf(db.database.sql, turnId);
    expect(await textsOf('camellia')).not.toEqual([]);
    expect((await erase(conversationId)).turnIds).toHaveLength(2);
    expect(await textsOf('camellia')).toEqual([]);
    expect(before).toHaveLength(1);
    expect(await debitsOf(db.database.sql, turnId)).toEqual(before);
    expect(await findTurn(db.database, { turnId, userId: person.userId })).toMatchObject({
      state: 'completed',
      content: null,
      erasedAt: expect.any(Number),
      usage: { debitedTokens: 11 },
    });
    expect(
      await only(
        db.database.sql,
        sql<{ hash: number }>`select length(body_hash) as hash from turns where id = ${turnId}`,
      ),
    ).toEqual({ hash: 0 });
    expect(await listed()).toBe(0);
    const mine = { conversationId, userId: person.userId };
    for (const read of [getConversation(db.database, mine), updateConversation(db.database, { ...mine, title: 'x' })])
      await expect(read).rejects.toMatchObject({ code: 'not_found' });
    await expect(erase(conversationId)).rejects.toMatchObject({ code: 'not_found' });
    await expect(accept(db.database, person, { conversationId, message: 'more' })).rejects.toMatchObject({
      code: 'not_found',
    });
  });

  test('takes along what a turn of the OpenAI door was asked, before its time', async () => {
    const turnId = await runTurn(db.database, person, { send: ofDoor('a peony'), text: 'peonies bloom' });
    expect(await textsOf('peon')).toEqual(['turns', 'turn_prompts']);
    await erase(await conversationOf(db.database, turnId));
    expect(await textsOf('peon')).toEqual([]);
  });

  test('without a turn leaves no row', async () => {
    const { conversationId } = await createConversation(db.database, { userId: person.userId, title: 'empty' });
    expect(await erase(conversationId)).toEqual({ turnIds: [] });
    const row = sql`select 1 from conversations where id = ${conversationId}`;
    expect((await row.execute(db.database.sql)).rows).toEqual([]);
  });

  test('is not a stranger’s to delete', async () => {
    const conversationId = await conversationOf(db.database, await runTurn(db.database, person, {}));
    const stranger = await createPerson(db.database);
    await expect(erase(conversationId, stranger.userId)).rejects.toMatchObject({ code: 'not_found' });
    expect(await listed()).toBe(1);
  });

  test('is refused while a turn runs in it, and goes once that has ended', async () => {
    const { turnId, conversationId } = await accept(db.database, person);
    await expect(erase(conversationId)).rejects.toMatchObject({ code: 'conversation_busy' });
    await reserve(db.database, turnId);
    await expect(erase(conversationId)).rejects.toMatchObject({ code: 'conversation_busy' });
    await fail(turnId);
    expect((await erase(conversationId)).turnIds).toEqual([turnId]);
  });

  test('and a send at once: either the turn runs and nothing is erased, or there is nothing to send to', async () => {
    for (let round = 0; round < 8; round++) {
      const conversationId = await conversationOf(db.database, await runTurn(db.database, person, {}));
      const [sent, erased] = await Promise.allSettled([
        accept(db.database, person, { conversationId, message: 'now' }),
        erase(conversationId),
      ]);
      expect([sent.status, erased.status].toSorted()).toEqual(['fulfilled', 'rejected']);
      const reason = (sent.status === 'rejected' ? sent : erased) as PromiseRejectedResult;
      expect(reason.reason).toMatchObject({ code: sent.status === 'rejected' ? 'not_found' : 'conversation_busy' });
      if (sent.status === 'fulfilled') await fail(sent.value.turnId);
    }
  });

  test('whose outcome was unknown is found by its id; one that stands is not', async () => {
    const turnId = await runTurn(db.database, person, {});
    const conversationId = await conversationOf(db.database, turnId);
    expect(await findErased(db.database, { conversationId })).toBeNull();
    await erase(conversationId);
    expect(await findErased(db.database, { conversationId })).toEqual({ turnIds: [turnId] });
  });
});

describe('a turn of it', () => {
  test('answers its key and its id with turn_erased, whatever the body, and never runs again', async () => {
    const key = { idempotencyKey: 'once', message: 'the same' };
    const turnId = newId();
    await failedTurn({ ...key, turnId });
    const send = (change: Parameters<typeof request>[1]) => acceptTurn(db.database, request(person, change));
    expect((await send(key)).decision).toBe('stored');
    await erase(await conversationOf(db.database, turnId));
    for (const again of [key, { ...key, message: 'another' }, { turnId, message: 'the same' }])
      await expect(send(again)).rejects.toMatchObject({ code: 'turn_erased', details: { turnId } });
    await expect(reopenTurn(db.database, { turnId, userId: person.userId, reason: 'retry' })).rejects.toMatchObject({
      code: 'turn_erased',
    });
    await expect(replayTurn(db.database, { turnId, reason: 'x', actor: CLI_ACTOR })).rejects.toMatchObject({
      code: 'turn_erased',
    });
    // A reset in the Temporal UI comes with a run of its own.
    expect(await reserve(db.database, turnId, { runId: 'a reset', isReset: true })).toEqual({
      kind: 'failed',
      code: 'model_timeout',
    });
    expect(await findTurn(db.database, { turnId, userId: null })).toMatchObject({ state: 'failed', runId: 'run-1' });
  });

  test('that was refused is kept past the purge, so that its key stays known', async () => {
    const turnId = newId();
    await sql`update accounts set monthly_allowance_tokens = 0 where id = ${person.accountId}`.execute(db.database.sql);
    const { conversationId } = await accept(db.database, person, { turnId });
    await reserve(db.database, turnId);
    await erase(conversationId);
    await sql`update turns set created_at = now() - interval '9 days', ended_at = now() - interval '9 days'
      where id = ${turnId}`.execute(db.database.sql);
    await purgeRefused(db.database);
    await expect(accept(db.database, person, { turnId })).rejects.toMatchObject({ code: 'turn_erased' });
  });

  test('is left out of a redrive, and skipped by one that has it already', async () => {
    const [kept, gone] = [await failedTurn(), await failedTurn()];
    const filter = { userId: person.userId };
    const asked = { filter, limit: 10, includeSuperseded: false };
    expect((await planRedrive(db.database.sql, asked)).count).toBe(2);
    const { redriveId } = await createRedrive(db.database, {
      ...asked,
      reason: 'x',
      ratePerSecond: 5,
      confirm: 2,
      actor: CLI_ACTOR,
    });
    if (redriveId === null) throw new Error('there was something to replay');
    await erase(await conversationOf(db.database, gone));
    expect(await beginReplay(db.database, { redriveId, turnId: gone })).toBeNull();
    expect(await countProgress(db.database.sql, redriveId, 'running')).toMatchObject({
      waiting: 1,
      skipped: { erased: 1, not_failed: 0 },
    });
    expect(await beginReplay(db.database, { redriveId, turnId: kept })).toMatchObject({ turnId: kept });
    await fail(kept, 'run-1');
    await sql`update redrives set ended_at = now(), state = 'cancelled' where id = ${redriveId}`.execute(
      db.database.sql,
    );
    expect((await planRedrive(db.database.sql, asked)).sample).not.toContain(gone);
  });

  test.each([
    ['a question', sql`question = 'back'`],
    ['an answer', sql`answer = 'back'`],
    ['a body’s hash', sql`body_hash = 'back'`],
    ['a run', sql`state = 'accepted', ended_at = null`],
  ])('takes no %s again: the database refuses it', async (_, change) => {
    const turnId = await failedTurn();
    const update = sql`update turns set ${change} where id = ${turnId}`;
    await erase(await conversationOf(db.database, turnId));
    await expect(update.execute(db.database.sql)).rejects.toMatchObject({ constraint: 'turns_erased_hold_no_text' });
  });
});

test('texts of the OpenAI door whose time is over are erased without a look at the thousands that are kept', async () => {
  await sql`with c as (
      insert into conversations (id, user_id, last_sequence) select gen_random_uuid(), ${person.userId}, 1 from generate_series(1, 3000) returning id
    ), asked as (
      select id, gen_random_uuid() as turn_id, now() - case when row_number() over (order by id) <= 3 then interval '2 hours' else interval '0' end as at from c
    ), t as (
      insert into turns (id, user_id, account_id, conversation_id, sequence, state, model, body_hash, question, question_tokens, encoding, error_code, is_api, ended_at)
      select turn_id, ${person.userId}, ${person.accountId}, id, 1, 'failed', 'm', '\\x00', '', 1, 'o200k_base', 'interrupted', true, at from asked
    ) insert into turn_prompts (turn_id, prompt, streamed, asked_at) select turn_id, '{"messages": []}', false, at from asked`.execute(
    db.database.sql,
  );
  await sql`analyze turns, turn_prompts`.execute(db.database.sql);
  const { database, statements } = recordStatements(db.database);
  expect(await eraseTexts(database, { afterSeconds: 3_600 })).toBe(3);
  const read = (await explainRun(db.database.sql, statements[0]!)).reduce((sum, { rows }) => sum + rows, 0);
  expect(read).toBeLessThan(20);
});
