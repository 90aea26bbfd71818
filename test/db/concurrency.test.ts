import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { sql } from 'kysely';
import { acceptTurn } from '../../db/turns/accept.ts';
import { openAttempt, storeAnswer } from '../../db/turns/attempts.ts';
import { updateConversation } from '../../db/conversations/conversations.ts';
import { releaseTurn } from '../../db/turns/end.ts';
import { grantTokens, reverseGrant } from '../../db/money/grants.ts';
import { proveBooks } from '../../db/money/proof.ts';
import { expireHolds } from '../../db/turns/reconcile.ts';
import { settleTurn } from '../../db/turns/settle.ts';
import { reopenTurn, requestStop } from '../../db/turns/turns.ts';
import { readUsage, setTestUsage } from '../../db/money/usage.ts';
import { updateProfile } from '../../db/people/users.ts';
import { AppError } from '../../domain/errors.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import {
  accept,
  answerOf,
  context,
  createPerson,
  newId,
  NOW,
  only,
  request,
  reserve,
  rows,
  type Person,
} from './fixture.ts';

// A decision under a lock reads what the lock's last holder wrote, whatever isolation an operator made the database's
// default.
describe.each(['read committed', 'repeatable read'] as const)(
  'where transactions are %s unless they say otherwise:',
  (isolation) => {
    let db: TestDatabase;
    beforeAll(async () => {
      db = await createTestDatabase({ poolMax: 16, isolation });
    });
    afterAll(() => db.close());

    async function heldAndUsed(accountId: number): Promise<{ held: number; used: number; periods: number }> {
      return only(
        db.database.sql,
        sql<{ held: number; used: number; periods: number }>`select
      (select coalesce(sum(tokens), 0)::float8 from holds where account_id = ${accountId} and state = 'pending') as held,
      (select coalesce(sum(used_tokens), 0)::float8 from periods where account_id = ${accountId}) as used,
      (select count(*)::int from periods where account_id = ${accountId}) as periods`,
      );
    }

    describe('admission under concurrency (G1)', () => {
      test('40 first turns of a new account at once: one period, and holds that fill the room without passing the ceiling', async () => {
        const person = await createPerson(db.database, { allowance: 10_000 }); // ceiling 10,500
        const turns = await Promise.all(Array.from({ length: 40 }, () => accept(db.database, person)));
        // Each wants 26 + 2,048.
        const results = await Promise.all(turns.map(({ turnId }) => reserve(db.database, turnId)));
        const { held, periods } = await heldAndUsed(person.accountId);
        expect(periods).toBe(1);
        expect(held).toBeLessThanOrEqual(10_500);
        // Control: the rest does not hold another smallest turn (26 + 256), so it was the ceiling that refused the
        // others.
        expect(10_500 - held).toBeLessThan(26 + 256);
        expect(results.filter(({ kind }) => kind === 'held').length).toBeGreaterThanOrEqual(5);
        const refused = await rows(
          db.database.sql,
          sql<{ code: string; state: string }>`select distinct error_code as code, state from turns
        where account_id = ${person.accountId} and state not in ('accepted', 'running')`,
        );
        expect(refused).toEqual([{ code: 'tokens_held', state: 'refused' }]);
      });

      test('a waiting round after settles fills up again and still never passes the ceiling', async () => {
        const person = await createPerson(db.database, { allowance: 5_000 }); // ceiling 5,250
        const conversations = new Map<number, string>();
        const spend = async (i: number) => {
          for (let round = 0; round < 6; round++) {
            const known = conversations.get(i);
            const { turnId, conversationId } = await accept(db.database, person, {
              askedOutput: 300,
              ...(known === undefined ? {} : { conversationId: known }),
            });
            conversations.set(i, conversationId);
            if ((await reserve(db.database, turnId)).kind !== 'held') continue;
            const opened = await openAttempt(db.database, turnId, context());
            if (opened?.kind !== 'opened') throw new Error('an attempt under a live hold must open');
            const { held, used } = await heldAndUsed(person.accountId);
            expect(held + used).toBeLessThanOrEqual(5_250);
            const usage = {
              promptTokens: 20,
              cachedTokens: 0,
              completionTokens: opened.hold.outputLimit,
              reasoningTokens: 0,
            };
            const stored = await storeAnswer(db.database, answerOf(turnId, opened.number, { usage }));
            if (stored?.kind !== 'answered') throw new Error('the answer must be stored');
            await settleTurn(db.database, { turnId, answer: stored.answer });
          }
        };
        await Promise.all(Array.from({ length: 12 }, (_, i) => spend(i)));
        const { held, used } = await heldAndUsed(person.accountId);
        expect(held).toBe(0);
        expect(used).toBeLessThanOrEqual(5_250);
        expect(used).toBeGreaterThan(5_250 - 400 - 300);
        expect(await readUsage(db.database, { accountId: person.accountId })).toMatchObject({
          usedTokens: used,
          heldTokens: 0,
        });
      });

      test('the same turn reserved 20 times at once has one hold', async () => {
        const person = await createPerson(db.database);
        const { turnId } = await accept(db.database, person);
        const results = await Promise.all(Array.from({ length: 20 }, () => reserve(db.database, turnId)));
        expect(new Set(results.map((result) => JSON.stringify(result))).size).toBe(1);
        expect(results[0]).toMatchObject({ kind: 'held' });
        expect(await rows(db.database.sql, sql`select 1 from holds where turn_id = ${turnId}`)).toHaveLength(1);
      });
    });

    describe('sends at the same time', () => {
      test('20 first sends of one turn id make one turn; one is new, the others join', async () => {
        const person = await createPerson(db.database);
        for (const conversationId of [
          null,
          await accept(db.database, person).then(async (turn) => {
            await releaseTurn(db.database, {
              turnId: turn.turnId,
              runId: 'x',
              reason: { as: 'stopped' },
              scheduledAt: NOW,
            });
            return turn.conversationId;
          }),
        ]) {
          const turnId = newId();
          const sent = await Promise.all(
            Array.from({ length: 20 }, () => acceptTurn(db.database, request(person, { turnId, conversationId }))),
          );
          expect(sent.map(({ decision }) => decision).sort()).toEqual([...Array<string>(19).fill('join'), 'new']);
          expect(new Set(sent.map(({ turn }) => turn.conversationId)).size).toBe(1);
        }
      });

      test('20 first sends of one Idempotency-Key make one turn and one conversation', async () => {
        const person = await createPerson(db.database);
        const sent = await Promise.all(
          Array.from({ length: 20 }, () => acceptTurn(db.database, request(person, { idempotencyKey: 'k' }))),
        );
        expect(new Set(sent.map(({ turn }) => turn.turnId)).size).toBe(1);
        expect(
          await rows(db.database.sql, sql`select 1 from conversations where user_id = ${person.userId}`),
        ).toHaveLength(1);
      });

      test('20 different questions in one conversation: one is accepted, 19 are conversation_busy and leave no row', async () => {
        const person = await createPerson(db.database);
        const first = await accept(db.database, person);
        await releaseTurn(db.database, {
          turnId: first.turnId,
          runId: 'x',
          reason: { as: 'stopped' },
          scheduledAt: NOW,
        });
        const sent = await Promise.allSettled(
          Array.from({ length: 20 }, (_, i) =>
            accept(db.database, person, { conversationId: first.conversationId, message: `question ${i}` }),
          ),
        );
        const refused = sent
          .filter((result) => result.status === 'rejected')
          .map(({ reason }) => (reason as AppError).code);
        expect(refused).toEqual(Array(19).fill('conversation_busy'));
        expect(sent.find((result) => result.status === 'fulfilled')).toMatchObject({ value: { sequence: 2 } });
        expect(
          await rows(db.database.sql, sql`select 1 from turns where conversation_id = ${first.conversationId}`),
        ).toHaveLength(2);
      });

      test('20 retries of one failed turn at once: one opens it, and 19 join it', async () => {
        const person = await createPerson(db.database);
        const { turnId } = await accept(db.database, person);
        await reserve(db.database, turnId);
        await releaseTurn(db.database, {
          turnId,
          runId: 'run-1',
          reason: { as: 'failed', code: 'model_timeout' },
          scheduledAt: NOW,
        });
        const retry = () => reopenTurn(db.database, { turnId, userId: person.userId, reason: 'retry' });
        const retried = await Promise.all(Array.from({ length: 20 }, retry));
        expect(retried.map(({ state }) => state)).toEqual(Array(20).fill('accepted'));
        // Control: once a run holds it, nobody joins.
        await reserve(db.database, turnId, { runId: 'run-2', isReset: true });
        await expect(retry()).rejects.toMatchObject({ code: 'turn_not_failed' });
      });
    });

    describe('many different operations at once', () => {
      const EXPECTED = new Set([
        'conversation_busy',
        'turn_not_failed',
        'idempotency_conflict',
        'tokens_held',
        'invalid_request',
      ]);

      test('over few accounts and conversations none ends in a deadlock (40P01) or another database error, and the counters equal the ledger', async () => {
        const people = await Promise.all([1, 2].map(() => createPerson(db.database, { allowance: 60_000 })));
        const conversations = new Map<number, string[]>();
        for (const person of people) {
          const first = await Promise.all([1, 2].map(() => accept(db.database, person)));
          for (const { turnId } of first)
            await releaseTurn(db.database, { turnId, runId: 'x', reason: { as: 'stopped' }, scheduledAt: NOW });
          conversations.set(
            person.userId,
            first.map(({ conversationId }) => conversationId),
          );
        }
        const known: { turnId: string; person: Person }[] = [];
        const grants: number[] = [];
        const pick = <T>(list: readonly T[]): T => list[Math.floor(Math.random() * list.length)]!;
        const unexpected: unknown[] = [];
        let done = 0;

        const live = async (person: Person) => {
          const conversationId = pick(conversations.get(person.userId)!);
          const { turnId } = await accept(db.database, person, {
            conversationId,
            message: `q ${Math.random()}`,
            askedOutput: 300,
          });
          known.push({ turnId, person });
          const change = { runId: `run-${Math.random()}` };
          if ((await reserve(db.database, turnId, change)).kind !== 'held') return;
          const opened = await openAttempt(db.database, turnId, context(change));
          if (opened?.kind !== 'opened') return;
          const stored = await storeAnswer(db.database, answerOf(turnId, opened.number));
          if (stored?.kind === 'answered') await settleTurn(db.database, { turnId, answer: stored.answer });
        };
        const operations: ((person: Person) => Promise<unknown>)[] = [
          live,
          live,
          live,
          (person) =>
            accept(db.database, person, {
              conversationId: pick(conversations.get(person.userId)!),
              message: `busy ${Math.random()}`,
            }),
          async () => {
            const { turnId } = pick(known) ?? {};
            if (turnId !== undefined)
              await releaseTurn(db.database, {
                turnId,
                runId: 'other',
                reason: { as: 'failed', code: 'interrupted' },
                scheduledAt: NOW,
              });
          },
          async () => {
            const { turnId } = pick(known) ?? {};
            if (turnId !== undefined)
              await reserve(db.database, turnId, { runId: `reset-${Math.random()}`, isReset: true });
          },
          async () => {
            const { turnId, person } = pick(known) ?? {};
            if (turnId !== undefined && person)
              await reopenTurn(db.database, { turnId, userId: person.userId, reason: 'retry' });
          },
          async () => {
            const { turnId, person } = pick(known) ?? {};
            if (turnId !== undefined && person) await requestStop(db.database, { turnId, userId: person.userId });
          },
          async (person) => {
            grants.push(
              (
                await grantTokens(db.database, {
                  userId: person.userId,
                  tokens: 500,
                  reason: 'r',
                  key: newId(),
                })
              ).entryId,
            );
          },
          async () => {
            const entryId = pick(grants);
            if (entryId !== undefined)
              await reverseGrant(db.database, { entryId, tokens: 100, reason: 'r', key: newId() });
          },
          (person) =>
            updateProfile(db.database, {
              userId: person.userId,
              timeZone: pick(['Asia/Seoul', 'UTC']),
              locale: 'en',
            }),
          (person) =>
            updateConversation(db.database, {
              conversationId: pick(conversations.get(person.userId)!),
              userId: person.userId,
              title: 't',
            }),
          (person) => readUsage(db.database, { accountId: person.accountId }),
          (person) => setTestUsage(db.database, { accountId: person.accountId, percent: 10 }),
          () => expireHolds(db.database),
        ];
        const worker = async () => {
          for (let i = 0; i < 60; i++) {
            try {
              await pick(operations)(pick(people));
              done++;
            } catch (error) {
              if (!(error instanceof AppError) || !EXPECTED.has(error.code)) unexpected.push(error);
            }
          }
        };
        await Promise.all(Array.from({ length: 16 }, worker));
        expect(unexpected).toEqual([]);
        expect(done).toBeGreaterThan(300);
        expect((await proveBooks(db.database)).mismatches).toBe(0);
        expect(
          await rows(
            db.database.sql,
            sql`select turn_id from ledger_entries where kind = 'debit' group by turn_id having count(*) > 1`,
          ),
        ).toEqual([]);
      });
    });
  },
);
