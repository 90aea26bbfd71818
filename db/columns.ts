import {
  BigIntType,
  DateTimeType,
  DateType,
  EntitySchema,
  type EntitySchemaWithMeta,
  type InferEntity,
} from '@mikro-orm/core';
import type { InferKyselyTable } from '@mikro-orm/postgresql';
import { sql, type RawBuilder, type Selectable } from 'kysely';
import { Names } from './schema/names.ts';

/**
 * The select list of some of an entity's columns, for statements written in SQL. It converts to the values that this
 * program counts with: numbers for tokens and ids, milliseconds for instants, `2026-11-30` for days.
 * @param table the statement's alias for the entity's table.
 * @param names columns under the names that they have in rows (`userId`), or keyed by other names to give them (`{
 *   used: 'usedTokens' }`).
 */
export function columnsOf<Entity extends EntitySchemaWithMeta, const Name extends ColumnName<Entity>>(
  entity: Entity,
  table: string,
  names: readonly Name[],
): RawBuilder<Pick<Columns<Entity>, Name>>;
export function columnsOf<Entity extends EntitySchemaWithMeta, const Name extends Record<string, ColumnName<Entity>>>(
  entity: Entity,
  table: string,
  names: Name,
): RawBuilder<{ -readonly [Alias in keyof Name]: Columns<Entity>[Name[Alias]] }>;
export function columnsOf(
  entity: EntitySchemaWithMeta,
  table: string,
  names: readonly string[] | Readonly<Record<string, string>>,
): RawBuilder<unknown> {
  const list = isList(names) ? names.map((name) => [name, name] as const) : Object.entries(names);
  return sql.raw(list.map(([alias, name]) => `${valueOf(entity, table, name)} as "${alias}"`).join(', '));
}

/** The row that a select list reads. */
export type RowOf<List> = List extends RawBuilder<infer Row> ? Row : never;

/** A row without nulls, as its statement's condition guarantees. */
export type Whole<Row> = { [Name in keyof Row]: NonNullable<Row[Name]> };

/** A row of a table in an outer join that may have found none. */
export type Nullable<Row> = { [Name in keyof Row]: Row[Name] | null };

type Columns<Entity extends EntitySchemaWithMeta> = {
  [Property in keyof Stored<Entity> & string as NameOf<Entity, Property>]: Value<Stored<Entity>[Property]>;
};
type ColumnName<Entity extends EntitySchemaWithMeta> = keyof Columns<Entity> & string;
type Stored<Entity extends EntitySchemaWithMeta> = Selectable<
  InferKyselyTable<Entity, { columnNamingStrategy: 'property' }>
>;
/** A relation's column holds the id of the row it points at. */
type NameOf<Entity extends EntitySchemaWithMeta, Property extends string> =
  NonNullable<InferEntity<Entity>[Property & keyof InferEntity<Entity>]> extends { id: unknown }
    ? `${Property}Id`
    : Property;
type Value<Stored> = Stored extends Date ? number : Stored;

const namesOfColumns = new Names();

function valueOf(entity: EntitySchemaWithMeta, table: string, name: string): string {
  const column = `${table}.${namesOfColumns.propertyToColumnName(name)}`;
  const type = typeOf(entity, name);
  // float8 is exact for integers below 2^53, which the domains of all counters guarantee. The driver reads it as a
  // number.
  if (type instanceof BigIntType) return `${column}::float8`;
  if (type === DateTimeType) return `floor(extract(epoch from ${column}) * 1000)::float8`;
  if (type === DateType) return `${column}::text`;
  return column;
}

/**
 * The type comes from the entity's definition, which discovery leaves unchanged. A relation has the type of the id it
 * holds.
 */
function typeOf(entity: EntitySchema, name: string): unknown {
  const { properties } = entity.meta;
  const property = properties[name] ?? properties[name.replace(/Id$/, '')];
  if (property === undefined) throw new Error(`${entity.meta.className} has no column ${name}`);
  const target: unknown = property.kind === undefined ? null : property.entity();
  return target instanceof EntitySchema ? typeOf(target, 'id') : property.type;
}

function isList(names: readonly string[] | Readonly<Record<string, string>>): names is readonly string[] {
  return Array.isArray(names);
}
