import { UnderscoreNamingStrategy } from '@mikro-orm/core';

type NamedThing = Parameters<UnderscoreNamingStrategy['indexName']>[2];

/**
 * Names for what an entity does not name itself: PostgreSQL's own for keys, ours for checks of columns that hold one of
 * few words.
 */
export class Names extends UnderscoreNamingStrategy {
  override indexName(table: string, columns: string[], thing: NamedThing): string {
    const of = [table, ...columns].join('_');
    if (thing === 'foreign') return `${of}_fkey`;
    if (thing === 'check') return CHECKS[of] ?? `${of}_is_known`;
    return super.indexName(table, columns, thing);
  }

  /** Migrations run in the order of their names. */
  override classToMigrationName(timestamp: string, name = 'change-the-schema'): string {
    return `${timestamp}-${name}`;
  }
}

const CHECKS: Readonly<Record<string, string>> = {
  ledger_entries_kind: 'ledger_kind_is_known',
  periods_alert_armed: 'periods_alert_armed_is_a_level',
};
