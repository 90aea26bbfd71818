import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { sql } from 'kysely';
import { violatedConstraint, type Tx } from '../../db/database.ts';
import { TURN_STATES, TURN_STEPS, type TurnState } from '../../domain/turn.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { accept, createPerson } from './fixture.ts';

let db: TestDatabase;
let turnId: string;
beforeAll(async () => {
  db = await createTestDatabase({ poolMax: 2 });
  turnId = (await accept(db.database, await createPerson(db.database))).turnId;
});
afterAll(() => db.close());

/** The columns that the row must have in the state, so that only the step itself can be refused. */
function put(tx: Tx, state: TurnState) {
  const over = state !== 'accepted' && state !== 'running';
  return sql`update turns set state = ${state}, ended_at = ${over ? new Date() : null}, answer = 'a', error_code = 'interrupted' where id = ${turnId}`.execute(
    tx,
  );
}

/** Brings a turn to the state by legal steps, tries the step, and rolls everything back. */
async function step(from: TurnState, to: TurnState): Promise<string> {
  return db.database
    .transaction(async (tx) => {
      if (from !== 'accepted') await put(tx, from);
      await put(tx, to);
      throw new Error('taken');
    })
    .catch((error: Error) => violatedConstraint(error) ?? error.message);
}

const pairs = TURN_STATES.flatMap((from) => TURN_STATES.filter((to) => to !== from).map((to) => [from, to] as const));

test.each(pairs)('%s → %s is taken or refused by the database as the list of legal steps says', async (from, to) => {
  const legal = (TURN_STEPS[from] as readonly TurnState[]).includes(to);
  expect(await step(from, to)).toBe(legal ? 'taken' : 'turns_take_legal_steps');
});

test.each([
  [
    'a refused turn that was admitted',
    sql`state = 'refused', ended_at = now(), error_code = 'tokens_held', ever_admitted = true`,
    'turns_refused_were_never_admitted',
  ],
  ['a failure that does not say why', sql`state = 'failed', ended_at = now()`, 'turns_failed_say_why'],
  ['an ending without its time', sql`state = 'failed', error_code = 'interrupted'`, 'turns_end_when_they_are_over'],
  ['a completed turn without an answer', sql`state = 'completed', ended_at = now()`, 'turns_completed_have_an_answer'],
  ['a sound failure passes: the control', sql`state = 'failed', ended_at = now(), error_code = 'interrupted'`, 'taken'],
] as const)('%s', async (_, change, expected) => {
  const result = await db.database
    .transaction(async (tx) => {
      await sql`update turns set ${change} where id = ${turnId}`.execute(tx);
      throw new Error('taken');
    })
    .catch((error: Error) => violatedConstraint(error) ?? error.message);
  expect(result).toBe(expected);
});
