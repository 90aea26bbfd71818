import { defineEntity, p } from '@mikro-orm/core';
import { MikroORM } from '@mikro-orm/postgresql';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { sql } from 'kysely';
import { ENTITIES } from '../../db/entities/index.ts';
import { ResendDelivery } from '../../db/entities/channels/resend.ts';
import { Delivery } from '../../db/entities/notification.ts';
import { ormOptions } from '../../db/schema/orm-options.ts';
import { SEARCH_FUNCTIONS } from '../../migrations/20261130103205-search-by-keys.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { rows } from './fixture.ts';

let migrated: TestDatabase;
let made: TestDatabase;
beforeAll(async () => {
  [migrated, made] = await Promise.all([createTestDatabase(), createTestDatabase({ empty: true })]);
  for (const make of [DOMAINS, ...SEARCH_FUNCTIONS]) await sql.raw(make).execute(made.database.orm.em.getKysely());
  await made.database.orm.schema.create({ wrap: false });
});
afterAll(() => Promise.all([migrated.close(), made.close()]));

/** Domains that the entities name but cannot create, as the functions of their indexes. */
const DOMAINS = `
create domain token_count as bigint constraint token_count_is_a_safe_integer check (value between 0 and 100000000000000);
create domain token_delta as bigint constraint token_delta_is_a_safe_integer check (value between -100000000000000 and 100000000000000);
`;

/** What no entity of MikroORM 7.2.1 can express: db/schema/schema-generator.ts. */
const ONLY_MIGRATED = [
  'function let_go_of_an_object',
  'function look_at_files_again',
  'function open_first_attempt',
  'function refuse_a_debit_without_its_hold',
  'function refuse_a_late_attempt',
  'function refuse_an_illegal_step',
  'function refuse_to_change',
  'function refuse_to_change_a_rate',
  'function refuse_to_move_a_hold_twice',
  'function refuse_to_rewrite',
  'function refuse_to_rewrite_audit',
  'function store_answer_at_once',
  'options of holds: fillfactor=80',
  'options of proved_periods: fillfactor=70',
  'options of usage_person_months: fillfactor=70',
  'options of usage_rollups: fillfactor=70',
  'trigger attempts_open_in_order of attempts',
  'trigger audit_is_append_only of audit_entries',
  'trigger audit_is_never_emptied of audit_entries',
  'trigger files_let_go_of_their_objects of files',
  'trigger holds_move_once of holds',
  'trigger ledger_debits_have_a_hold of ledger_entries',
  'trigger ledger_is_append_only of ledger_entries',
  'trigger ledger_is_never_emptied of ledger_entries',
  'trigger model_rates_are_never_emptied of model_rates',
  'trigger model_rates_never_change of model_rates',
  'trigger operator_reports_never_change of operator_reports',
  'trigger packs_never_change of packs',
  'trigger payment_snapshots_are_append_only of payment_snapshots',
  'trigger purchase_bookings_are_append_only of purchase_bookings',
  'trigger turn_files_have_their_files_looked_at of turn_files',
  'trigger turns_take_legal_steps of turns',
  'trigger usage_reports_never_change of usage_reports',
];

test('a database made from the entities is the migrated one, but for what they cannot say', async () => {
  const [ofMigrations, ofEntities] = await Promise.all([factsOf(migrated), factsOf(made)]);
  expect(ofMigrations.filter((fact) => !ofEntities.includes(fact))).toEqual(ONLY_MIGRATED);
  expect(ofEntities.filter((fact) => !ofMigrations.includes(fact))).toEqual([]);
});

test('MikroORM would change nothing in the migrated database, nor in the snapshot that its next migration is made from', async () => {
  const { orm } = migrated.database;
  expect(await orm.schema.getUpdateSchemaSQL({ wrap: false })).toBe('');
  expect(await orm.migrator.checkSchema()).toBe(false);
});

test('a column that only the database has is found, and a table that no entity knows', async () => {
  const drifted = await createTestDatabase();
  try {
    await sql`alter table turns add column colour text`.execute(drifted.database.sql);
    await sql`create table strays (id integer)`.execute(drifted.database.sql);
    const known = await factsOf(made);
    expect((await factsOf(drifted)).filter((fact) => !known.includes(fact) && !ONLY_MIGRATED.includes(fact))).toEqual([
      'column strays.id integer',
      'column turns.colour text',
    ]);
    const update = await drifted.database.orm.schema.getUpdateSchemaSQL({ wrap: false });
    expect(update).toContain('alter table "turns" drop column "colour"');
    expect(update).toContain('drop table if exists "strays"');
  } finally {
    await drifted.close();
  }
});

test('an entity that has changed is found, in the database and in the snapshot', async () => {
  const Changed = defineEntity({
    name: 'Delivery',
    tableName: 'deliveries',
    properties: { ...Delivery.properties, attempts: p.bigint('number').nullable() },
  });
  const orm = await MikroORM.init({
    ...ormOptions(migrated.url),
    // What leads to it has to be left out with it.
    entities: [...ENTITIES.filter((entity) => entity !== Delivery && entity !== ResendDelivery), Changed],
  });
  try {
    const update = await orm.schema.getUpdateSchemaSQL({ wrap: false });
    expect(update).toContain('alter column "attempts" type bigint');
    expect(update).toContain('drop index "deliveries_due"');
    expect(update).toContain('drop constraint "deliveries_channel_is_a_word"');
    expect(await orm.migrator.checkSchema()).toBe(true);
  } finally {
    await orm.close();
  }
});

/** Everything that PostgreSQL's catalogue knows of the tables, in its own words, one line each. */
async function factsOf({ database }: TestDatabase): Promise<string[]> {
  const found = await rows(
    database.sql,
    sql<{ fact: string }>`
    with tables as (select oid, relname, reloptions from pg_class
      where relnamespace = 'public'::regnamespace and relkind = 'r' and relname <> 'schema_migrations')
    select concat_ws(' ', 'column', t.relname || '.' || attname, format_type(atttypid, atttypmod),
        case when attnotnull then 'not null' end, 'default ' || pg_get_expr(adbin, adrelid),
        case attidentity when 'a' then 'always as identity' when 'd' then 'by default as identity' end) as fact
      from pg_attribute join tables t on t.oid = attrelid left join pg_attrdef on (adrelid, adnum) = (attrelid, attnum)
      where attnum > 0 and not attisdropped
    union all select format('constraint %s of %s: %s', conname, t.relname, pg_get_constraintdef(c.oid, true))
      from pg_constraint c join tables t on t.oid = conrelid where contype <> 'n'
    union all select pg_get_indexdef(indexrelid) from pg_index join tables t on t.oid = indrelid
    union all select format('trigger %s of %s', tgname, t.relname) from pg_trigger join tables t on t.oid = tgrelid where not tgisinternal
    union all select format('options of %s: %s', relname, array_to_string(reloptions, ', ')) from tables where reloptions is not null
    union all select format('function %s', proname) from pg_proc where pronamespace = 'public'::regnamespace
    union all select format('domain %s: %s', typname, pg_get_constraintdef(c.oid))
      from pg_type d join pg_constraint c on c.contypid = d.oid where typnamespace = 'public'::regnamespace`,
  );
  return found.map(({ fact }) => fact).sort();
}
