import {
  DummyDriver,
  Kysely,
  PostgresAdapter,
  PostgresIntrospector,
  PostgresQueryCompiler,
  type Dialect,
} from 'kysely';
import type { Sql } from './pipeline.ts';

/** A query builder whose statements `on` runs; it begins no transaction of its own. */
export function kyselyOn(on: Sql): Kysely<unknown> {
  return new Kysely({ config: { dialect }, dialect, driver, executor: on.getExecutor() });
}

const driver = new DummyDriver();
const dialect: Dialect = {
  createAdapter: () => new PostgresAdapter(),
  createDriver: () => driver,
  createIntrospector: (of) => new PostgresIntrospector(of),
  createQueryCompiler: () => new PostgresQueryCompiler(),
};
