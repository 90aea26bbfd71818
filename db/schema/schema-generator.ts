import type { MikroORM } from '@mikro-orm/core';
import { SchemaGenerator, type DatabaseSchema, type EntityManager } from '@mikro-orm/postgresql';

/**
 * MikroORM's schema generator, extended by what entities of version 7.2.1 cannot express:
 *
 * - a foreign key of several columns that are properties of their own (`holds`): a relation has one type for them all;
 * - a table without a primary key (`usage_rollups`): it has one row a day and rate, and the rate may be null;
 * - a check of the ledger that it takes for a list of words when it reads the schema.
 *
 * Only the migrations define triggers, functions, domains, and the fill factors of four tables.
 * test/db/entities.test.ts names each.
 */
export class OurSchemaGenerator extends SchemaGenerator {
  static override register(orm: MikroORM): void {
    orm.config.registerExtension('@mikro-orm/schema-generator', () => new OurSchemaGenerator(orm.em as EntityManager));
  }

  override getTargetSchema(...which: Parameters<SchemaGenerator['getTargetSchema']>): DatabaseSchema {
    const schema = super.getTargetSchema(...which);
    const holds = schema.getTable('holds');
    holds?.setForeignKeys({ ...holds.getForeignKeys(), [RATES_OF_A_HOLD.constraintName]: RATES_OF_A_HOLD });
    const rollups = schema.getTable('usage_rollups');
    rollups?.setIndexes(rollups.getIndexes().filter(({ primary }) => !primary));
    return schema;
  }

  override diffToSQL(...[diff, options]: Parameters<SchemaGenerator['diffToSQL']>): string {
    delete diff.changedTables['public.ledger_entries']?.changedChecks['ledger_uses_are_debits_and_adjustments'];
    return super.diffToSQL(diff, options);
  }
}

const RATES_OF_A_HOLD = {
  constraintName: 'holds_rates_are_those_of_their_version',
  columnNames: ['rate_id', 'rate_input', 'rate_cached_input', 'rate_output'],
  localTableName: 'public.holds',
  referencedColumnNames: ['id', 'input', 'cached_input', 'output'],
  referencedTableName: 'public.model_rates',
  deleteRule: 'no action',
  updateRule: 'no action',
};
