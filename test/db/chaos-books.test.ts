import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { Client } from 'pg';
import { CHECKS, findWrongBooks } from '../../bench/chaos/books.ts';
import { AskedTurn, findBrokenWords } from '../../bench/chaos/told.ts';
import { grantTokens, reverseGrant } from '../../db/money/grants.ts';
import { createToken } from '../../db/people/key-holders.ts';
import { releaseTurn } from '../../db/turns/end.ts';
import { CLI_ACTOR } from '../../domain/audit.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { accept, createPerson, reserve, runTurn, type Person } from './fixture.ts';

let db: TestDatabase;
let client: Client;
let person: Person;
let turnId: string;
beforeAll(async () => {
  db = await createTestDatabase();
  client = new Client({ connectionString: db.url });
  await client.connect();
  person = await createPerson(db.database);
  const { entryId } = await grantTokens(db.database, {
    userId: person.userId,
    tokens: 500,
    reason: 'r',
    key: 'grant',
    actor: CLI_ACTOR,
  });
  await reverseGrant(db.database, { entryId, tokens: 100, reason: 'r', key: 'reverse', actor: CLI_ACTOR });
  const apiKeyId = (await createToken(db.database, person)).tokenId;
  turnId = await runTurn(db.database, person, { used: 700, send: { apiKeyId } });
  const failed = await accept(db.database, person);
  await reserve(db.database, failed.turnId);
  await releaseTurn(db.database, {
    turnId: failed.turnId,
    runId: 'run-1',
    reason: { as: 'failed', code: 'model_unavailable' },
    scheduledAt: Date.now(),
  });
});
afterAll(async () => {
  await client.end();
  await db.close();
});

/** Does something behind the program's back, looks, and takes it back. */
async function foundAfter(...statements: readonly string[]): Promise<string[]> {
  await client.query('begin');
  try {
    // Triggers and foreign keys refuse most of it.
    await client.query('set local session_replication_role = replica');
    for (const statement of statements) await client.query(statement);
    return await findWrongBooks(client);
  } finally {
    await client.query('rollback');
  }
}

const MORE = 1_000_000;
/** What breaks each rule; some break others as well. */
const BROKEN = {
  'a completed turn has exactly one debit': [`delete from ledger_entries where kind = 'debit'`],
  'a debit is what its turn used, by the rate of its hold': [`update turns set prompt_tokens = prompt_tokens + 1`],
  'only a turn that was answered is debited': [
    `update turns set state = 'failed', error_code = 'interrupted' where state = 'completed'`,
  ],
  'a turn that says what it was debited has that debit': [`update turns set debited_tokens = 5 where state = 'failed'`],
  'every hold has ended, a settled one with its debit': [
    `update holds set state = 'pending', ended_at = null where state = 'released'`,
  ],
  'no turn is stuck': [`update turns set state = 'running', ended_at = null where state = 'failed'`],
  'balances equal the sums of the entries': [`update accounts set debt_tokens = debt_tokens + 1`],
  'counters of a period equal the sums of its entries': [
    `update periods set used_tokens = used_tokens + 1, spent_allowance_tokens = spent_allowance_tokens + 1`,
  ],
  'rollups equal the sums of the entries': [`update usage_rollups set turns = turns + 1`],
  'what keys have used equals the debits of their turns': [`update key_usage set used_tokens = used_tokens + 1`],
  'nobody used more than 105 % but for what providers charged beyond a hold and reversals': [
    // Used far beyond, within its hold, and flagged: a flag alone explains nothing.
    `update holds set tokens = ${MORE} where state = 'settled'`,
    `update ledger_entries set tokens = ${MORE}, used_delta = ${MORE}, spent_purchased_delta = 0, purchased_delta = 0,
       spent_allowance_delta = 100000, overage_delta = ${MORE - 100_000}, ceiling_moved = true where kind = 'debit'`,
  ],
  'every grant and reversal of an admin is in the audit log': [
    `delete from audit_entries where action = 'tokens.reverse'`,
  ],
} as const satisfies Record<keyof typeof CHECKS, readonly string[]>;

describe('the books as chaos reads them', () => {
  test('are right after turns, grants and reversals', async () => {
    expect(await findWrongBooks(client)).toEqual([]);
  });

  test.each(Object.entries(BROKEN))('a row that breaks “%s” is found', async (rule, statements) => {
    const found = await foundAfter(...statements);
    expect(found.filter((what) => what.startsWith(rule))).not.toEqual([]);
    expect(await findWrongBooks(client)).toEqual([]);
  });
});

describe('what people were told', () => {
  const asked = () => {
    const turn = new AskedTurn(turnId, {}, {});
    turn.asks = 1;
    turn.asking = 1;
    return turn;
  };
  const broken = (turn: AskedTurn) => findBrokenWords(client, { turns: [turn], grants: [] });

  test('is what is stored: another answer, another debit and another ending are found', async () => {
    const { rows } = await client.query<{ answer: string }>('select answer from turns where id = $1', [turnId]);
    const told = { state: 'completed', content: rows[0]?.answer ?? '', debitedTokens: 700 } as const;
    const right = asked();
    right.tell(told);
    expect(await broken(right)).toEqual([]);
    for (const wrong of [{ content: 'other' }, { debitedTokens: 701 }, { state: 'stopped' }] as const) {
      const turn = asked();
      turn.tell({ ...told, ...wrong });
      expect(await broken(turn)).toEqual([expect.stringMatching('an answer that was told is stored')]);
    }
  });

  test('a failure after which nobody asked stands; one after which somebody did need not', async () => {
    const failure = { state: 'refused', content: '', debitedTokens: 0 } as const;
    const turn = asked();
    turn.tell(failure);
    expect(await broken(turn)).toEqual([expect.stringMatching('a failure that was told stands')]);
    turn.asks += 1;
    expect(await broken(turn)).toEqual([]);
  });

  test('a turn that was accepted is there', async () => {
    const lost = new AskedTurn(randomUUID(), {}, {});
    expect(await broken(lost)).toEqual([]);
    lost.isTaken = true;
    expect(await broken(lost)).toEqual([expect.stringMatching('a turn that was accepted is there')]);
  });

  test('a grant that was told is booked, with its tokens', async () => {
    const { rows } = await client.query<{ id: number }>(
      `select id::float8 as id from ledger_entries where idempotency_key = 'grant'`,
    );
    const entryId = rows[0]?.id ?? 0;
    const found = (grant: { key: string; entryId: number; tokens: number }) =>
      findBrokenWords(client, { turns: [], grants: [grant] });
    expect(await found({ key: 'grant', entryId, tokens: 500 })).toEqual([]);
    for (const wrong of [{ key: 'another' }, { tokens: 501 }, { entryId: entryId + 1 }])
      expect(await found({ key: 'grant', entryId, tokens: 500, ...wrong })).toHaveLength(1);
  });
});
