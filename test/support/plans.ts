import { CompiledQuery } from 'kysely';
import { Client } from 'pg';
import type { Database, Sql } from '../../db/database.ts';

/** The database, with a record of the statements that are run outside transactions. */
export function recordStatements(database: Database): { database: Database; statements: CompiledQuery[] } {
  const statements: CompiledQuery[] = [];
  const recording = (on: Sql): Sql => {
    const executor = on.getExecutor();
    return {
      ...on,
      getExecutor: () =>
        new Proxy(executor, {
          get(target, name) {
            const value: unknown = Reflect.get(target, name);
            if (typeof value !== 'function') return value;
            return (...args: unknown[]) => {
              if (name === 'executeQuery') statements.push(args[0] as CompiledQuery);
              return Reflect.apply(value, target, args) as unknown;
            };
          },
        }),
    };
  };
  return {
    database: {
      ...database,
      sql: recording(database.sql),
      reads: recording(database.reads),
      sums: recording(database.sums),
    },
    statements,
  };
}

interface Plan {
  'Node Type': string;
  'Relation Name'?: string;
  'Actual Rows': number;
  'Actual Loops': number;
  'Rows Removed by Filter'?: number;
  Plans?: Plan[];
}

/** How a statement reads a table's rows. */
export interface Access {
  readonly table: string;
  readonly scans: boolean;
  /** The rows it looked at, including those it discarded; 0 in a plan that was not run. */
  readonly rows: number;
}

/** Runs the statement with its values and reports what it looked at. */
export async function explainRun(on: Sql, { sql, parameters }: CompiledQuery): Promise<Access[]> {
  const { rows } = await on
    .getExecutor()
    .executeQuery<{ 'QUERY PLAN': [{ Plan: Plan }] }>(
      CompiledQuery.raw(`explain (analyze, format json) ${sql}`, [...parameters]),
    );
  return accessOf(rows[0]?.['QUERY PLAN'][0].Plan);
}

/** The generic plan, which PostgreSQL may use for a prepared statement from its sixth run on. */
export async function explainGeneric(url: string, { sql }: CompiledQuery): Promise<Access[]> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    // A statement without values is sent by the simple protocol, which alone allows placeholders in an explain.
    const { rows } = await client.query<{ 'QUERY PLAN': [{ Plan: Plan }] }>(
      `explain (generic_plan, format json) ${sql}`,
    );
    return accessOf(rows[0]?.['QUERY PLAN'][0].Plan);
  } finally {
    await client.end();
  }
}

function accessOf(plan: Plan | undefined): Access[] {
  return (plan === undefined ? [] : flatten(plan)).flatMap((node) => {
    const table = node['Relation Name'];
    if (table === undefined) return [];
    const rows = ((node['Actual Rows'] ?? 0) + (node['Rows Removed by Filter'] ?? 0)) * (node['Actual Loops'] ?? 0);
    return [{ table, scans: node['Node Type'].includes('Seq Scan'), rows }];
  });
}

function flatten(plan: Plan): Plan[] {
  return [plan, ...(plan.Plans ?? []).flatMap(flatten)];
}
