import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { sql, type RawBuilder } from 'kysely';
import { violatedConstraint } from '../../db/database.ts';
import { keepRatesPublished, leaveRates, publishRates } from '../../db/money/rates.ts';
import type { Rate } from '../../domain/model.ts';
import { keepRates } from '../../db/money/keep-rates.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { accept, createPerson, MODEL, newId, only, open, reserve, rows, runTurn, type Person } from './fixture.ts';

let db: TestDatabase;
let person: Person;
beforeAll(async () => {
  db = await createTestDatabase();
  person = await createPerson(db.database);
});
afterAll(() => db.close());

const ONE: Rate = { input: 1000, cachedInput: 1000, output: 1000 };
const model = (name: string, rate: Rate = ONE) => ({ ...MODEL, name, rate });
const versionsOf = (name: string) =>
  rows(
    db.database.sql,
    sql<{ version: number; input: number; cachedInput: number; output: number }>`
  select version, input, cached_input as "cachedInput", output from model_rates where model = ${name} order by version`,
  );
const refusal = (statement: RawBuilder<unknown>) =>
  statement.execute(db.database.sql).then(
    () => 'accepted',
    (error: unknown) => violatedConstraint(error) ?? String(error),
  );

describe('the catalogue’s rates', () => {
  test('become versions numbered from 1 for each model; what is published already is found, not published again', async () => {
    const first = await publishRates(db.database, [model('a'), model('b', { ...ONE, output: 4000 })]);
    expect(first.map(({ name, rate: { id: _, ...rate } }) => ({ name, ...rate }))).toEqual([
      { name: 'a', version: 1, ...ONE },
      { name: 'b', version: 1, ...ONE, output: 4000 },
    ]);
    expect(await publishRates(db.database, [model('a'), model('b', { ...ONE, output: 4000 })])).toEqual(first);
  });

  test('that differ in any figure from the newest become the next version, also when an older one had them', async () => {
    const later: Rate[] = [{ ...ONE, input: 1 }, { ...ONE, cachedInput: 1 }, { ...ONE, output: 1_000_000 }, ONE];
    await publishRates(db.database, [model('c')]);
    for (const [i, rate] of later.entries())
      expect((await publishRates(db.database, [model('c', rate)]))[0]!.rate).toMatchObject({ version: i + 2, ...rate });
    expect(await versionsOf('c')).toEqual([ONE, ...later].map((rate, i) => ({ version: i + 1, ...rate })));
  });

  test('are published once by 20 processes that start together, with one answer for all', async () => {
    for (const rate of [ONE, { ...ONE, input: 7 }]) {
      const answers = await Promise.all(
        Array.from({ length: 20 }, () => publishRates(db.database, [model('d', rate)])),
      );
      expect(new Set(answers.map(([priced]) => priced!.rate.id)).size).toBe(1);
    }
    expect(await versionsOf('d')).toHaveLength(2);
  });

  test('are published while a hold is being made: nothing waits for the other', async () => {
    const { turnId } = await accept(db.database, person);
    await db.database.transaction(async (tx) => {
      await sql`select 1 from accounts where id = ${person.accountId} for update`.execute(tx);
      await sql`select 1 from model_rates where id = ${MODEL.rate.id} for key share`.execute(tx);
      await publishRates(db.database, [model('e')]);
    });
    expect(await reserve(db.database, turnId)).toMatchObject({ kind: 'held' });
  });
});

describe('while one deployment replaces another, the newest sets the rates', () => {
  const OLD = { ...ONE, output: 2000 };
  const NEW = { ...ONE, output: 3000 };
  let name = '';
  beforeEach(() => {
    name = newId();
  });
  afterEach(() => sql`delete from rate_publishers`.execute(db.database.sql));
  const start = (rate: Rate, id = newId()) => ({ id, models: [model(name, rate)] });
  const look = async (publisher: ReturnType<typeof start>) => {
    const { models, isOutdated } = await keepRatesPublished(db.database, publisher);
    return { version: models[0]!.rate.version, output: models[0]!.rate.output, isOutdated };
  };
  const minutes = (ago: number) =>
    sql`update rate_publishers set seen_at = seen_at - ${ago} * interval '1 minute'`.execute(db.database.sql);

  test('processes of both that start in turn settle at once; the old ones that run follow', async () => {
    const old = start(OLD);
    expect(await look(old)).toEqual({ version: 1, output: 2000, isOutdated: false });
    for (let i = 0; i < 5; i += 1) {
      expect(await look(start(NEW))).toEqual({ version: 2, output: 3000, isOutdated: false });
      expect(await look(start(OLD))).toEqual({ version: 2, output: 3000, isOutdated: true });
    }
    expect(await look(old)).toEqual({ version: 2, output: 3000, isOutdated: true });
    expect(await versionsOf(name)).toHaveLength(2);
    // Control: each that publishes for itself makes a version of its own, every time.
    for (const rate of [OLD, NEW, OLD, NEW]) await publishRates(db.database, [model(name, rate)]);
    expect(await versionsOf(name)).toHaveLength(2 + 4);
  });

  test('40 of both that start at once settle on one of the two, by which all charge', async () => {
    const both = Array.from({ length: 40 }, (_, i) => start(i % 2 === 0 ? OLD : NEW));
    await Promise.all(both.map(look));
    const shown = await Promise.all(both.map(look));
    expect(new Set(shown.map(({ output }) => output)).size).toBe(1);
    expect((await versionsOf(name)).length).toBeLessThanOrEqual(2);
  });

  test('rolled back, the old rates are published anew: at once where the new processes have ended, else once they are not heard of', async () => {
    const [old, fresh] = [start(OLD), start(NEW)];
    await look(old);
    await look(fresh);
    await leaveRates(db.database, fresh);
    expect(await look(old)).toEqual({ version: 3, output: 2000, isOutdated: false });
    const killed = start(NEW);
    // It comes back as the older of the two by now.
    expect(await look(killed)).toEqual({ version: 3, output: 2000, isOutdated: true });
    await leaveRates(db.database, old);
    expect(await look(killed)).toEqual({ version: 4, output: 3000, isOutdated: false });
    await minutes(2);
    const back = start(OLD);
    expect(await look(back)).toMatchObject({ version: 4, isOutdated: true });
    await minutes(1);
    expect(await look(back)).toEqual({ version: 5, output: 2000, isOutdated: false });
  });

  test('a model that only the old one has keeps its rate, and gets one where it has none', async () => {
    await look(start(NEW));
    const other = newId();
    await look({ id: newId(), models: [model(name, OLD)] });
    const both = { id: newId(), models: [model(name, OLD), model(other, ONE)] };
    await look(start(NEW));
    const { models } = await keepRatesPublished(db.database, both);
    expect(models.map(({ rate }) => rate.version)).toEqual([expect.any(Number), 1]);
  });

  test('a process that runs charges and shows by what it last looked at, and says once that its own rates do not apply', async () => {
    const said: string[] = [];
    const log = { warn: (_: object, message: string) => said.push(message) };
    const old = await keepRates({ database: db.database, log }, [model(name, OLD)]);
    const fresh = await keepRates({ database: db.database, log }, [model(name, NEW)]);
    const shown = () => [old, fresh].map(({ models }) => models[0]!.rate.output);
    expect(shown()).toEqual([2000, 3000]);
    await old.refresh();
    await old.refresh();
    expect([shown(), said]).toEqual([[3000, 3000], ['the rates of a newer deployment apply']]);
    await fresh.close();
    await old.refresh();
    expect(old.models[0]!.rate).toMatchObject({ version: 3, output: 2000 });
    await old.close();
  });

  test('of processes that are gone, one row a catalogue stays', async () => {
    for (let i = 0; i < 6; i += 1) {
      await look(start(i % 2 === 0 ? OLD : NEW));
      await minutes(4);
    }
    const { count } = await only(
      db.database.sql,
      sql<{ count: number }>`select count(*)::int as count from rate_publishers`,
    );
    expect(count).toBe(2);
  });
});

describe('a wrong rate is refused by the database, whatever let it through (G14)', () => {
  test.each(['input', 'cachedInput', 'output'] as const)(
    '%s of 0, below 0, beyond a thousandfold, or a fraction',
    async (part) => {
      const name = part.replace('I', '_i');
      for (const wrong of [0, -1, 1_000_001]) {
        const refused = await publishRates(db.database, [model('wrong', { ...ONE, [part]: wrong })]).catch(
          (error: unknown) => violatedConstraint(error),
        );
        expect(refused).toBe(`model_rates_${name}_is_1_to_a_million`);
      }
      await expect(publishRates(db.database, [model('wrong', { ...ONE, [part]: 0.5 })])).rejects.toThrow('integer');
      expect(await versionsOf('wrong')).toEqual([]);
    },
  );

  test('a version is never changed, removed or emptied', async () => {
    await publishRates(db.database, [model('f')]);
    for (const statement of [
      sql`update model_rates set output = 1 where model = 'f'`,
      sql`delete from model_rates where model = 'f'`,
      sql`truncate model_rates cascade`,
    ]) {
      expect(await refusal(statement)).toMatch(/^(model_rates_never_change|ledger_is_append_only)$/);
    }
    expect(await refusal(sql`update model_rates set output = 1 where model = 'f'`)).toBe('model_rates_never_change');
    expect(await versionsOf('f')).toEqual([{ version: 1, ...ONE }]);
  });

  test('a hold whose figures are not those of its version, or of a version that is not there, cannot be made', async () => {
    const { turnId } = await accept(db.database, person);
    for (const rate of [
      { ...MODEL.rate, output: 1 },
      { ...MODEL.rate, id: 999_999_999 },
    ]) {
      const refused = await reserve(db.database, turnId, { model: { ...MODEL, rate } }).catch((error: unknown) =>
        violatedConstraint(error),
      );
      expect(refused).toBe('holds_rates_are_those_of_their_version');
    }
    expect(await reserve(db.database, turnId)).toMatchObject({ kind: 'held' });
  });

  test('a model that the catalogue no longer has is not run', async () => {
    const { turnId } = await accept(db.database, person);
    expect(await reserve(db.database, turnId, { model: null })).toEqual({ kind: 'failed', code: 'model_rejected' });
  });
});

test('a new version touches no debit of before, and the next hold takes it', async () => {
  const turnId = await runTurn(db.database, person);
  const debit = () =>
    only(
      db.database.sql,
      sql<{ version: number; tokens: number }>`
    select r.version, e.tokens::float8 as tokens from ledger_entries e join model_rates r on r.id = e.rate_id where e.turn_id = ${turnId}`,
    );
  const before = await debit();
  const [dearer] = await publishRates(db.database, [model('m', { ...ONE, output: 9000 })]);
  expect(await debit()).toEqual(before);
  expect(before).toEqual({ version: 1, tokens: 11 });
  const next = await accept(db.database, person);
  await reserve(db.database, next.turnId, { model: dearer! });
  const { hold } = await open(db.database, next.turnId, { model: dearer! });
  expect(hold).toMatchObject({ rateId: dearer!.rate.id, rate: { output: 9000 } });
});
