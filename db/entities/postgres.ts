import { p } from '@mikro-orm/core';

// What MikroORM 7.2.1 takes from us in PostgreSQL's words, because it has none for it or does not read it back.

/**
 * 0 to 10^14 tokens, by a domain that refuses what JavaScript's numbers cannot hold. MikroORM sees the type below it,
 * so the two are not compared.
 */
export const tokenCount = () => p.bigint('number').columnType('token_count').ignoreSchemaChanges('type');

/** As many tokens, more or fewer than none. */
export const tokenDelta = () => p.bigint('number').columnType('token_delta').ignoreSchemaChanges('type');

/**
 * An index with a class of operators or parameters of its own; or one with `id desc` behind another column that ends in
 * `id`, whose order MikroORM overlooks when it reads the schema.
 */
export function sqlIndex(name: string, on: string) {
  return { name, expression: `create index ${name} on ${on}` };
}
