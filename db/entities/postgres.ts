import { p } from '@mikro-orm/core';

// These columns and indexes are written in PostgreSQL's words, because MikroORM 7.2.1 cannot express them or does not
// read them back.

/**
 * 0 to 10^14 tokens. The column's type is a domain that refuses what JavaScript's numbers cannot hold. MikroORM sees
 * the type behind the domain, so the types are not compared.
 */
export const tokenCount = () => p.bigint('number').columnType('token_count').ignoreSchemaChanges('type');

/** The same range, positive or negative. */
export const tokenDelta = () => p.bigint('number').columnType('token_delta').ignoreSchemaChanges('type');

/**
 * An index with an operator class or parameters of its own, or one with `id desc` after another column that ends in
 * `id`: MikroORM overlooks that order when it reads the schema.
 */
export function sqlIndex(name: string, on: string) {
  return { name, expression: `create index ${name} on ${on}` };
}
