import { Client } from 'pg';
import { SetupError } from '../../domain/setup-error.ts';
import { assertReadable } from './address.ts';

/** Far more than needed: the first that meets at one connection of the server shows it. */
const ROUNDS = 10;
/** Invalid and duplicate name of a prepared statement. */
const FORGOTTEN = new Set(['26000', '42P05']);

/**
 * Two connections prepare two statements under one name, as two processes might. Through a pooler that shares the
 * server's connections and knows nothing of statements, one of them meets the other's, or none (G45).
 * @throws SetupError where that happens, for an address that cannot be read, and where no connection is to be had
 *   within 5 s.
 */
export async function refuseForgetfulPooler(url: string): Promise<void> {
  assertReadable(url);
  const pair = [1, 2].map((told) => ({ told, client: new Client({ ...LIMITS, connectionString: url }) }));
  try {
    for (const { client } of pair) {
      client.on('error', () => {});
      await client.connect().catch((cause: unknown) => {
        throw new SetupError(
          `DATABASE_URL: PostgreSQL takes no connection at ${new URL(url).host}: ${cause instanceof Error ? cause.message : String(cause)}`,
          { cause },
        );
      });
    }
    for (let round = 0; round < ROUNDS; round += 1)
      for (const { told, client } of pair)
        if (!(await isKept(client, told)))
          throw new SetupError(
            'DATABASE_URL: the pooler before PostgreSQL mixes up or forgets prepared statements. Use its session mode, or PgBouncer 1.21 or later with max_prepared_statements (docs/deploy.md, Scaling).',
          );
  } finally {
    await Promise.all(pair.map(({ client }) => client.end()));
  }
}

const LIMITS = { connectionTimeoutMillis: 5_000, query_timeout: 15_000, application_name: 'turnkeeper' };

async function isKept(client: Client, told: number): Promise<boolean> {
  try {
    const { rows } = await client.query<{ told: number }>({
      name: 'turnkeeper_probe',
      text: `select ${told} as told`,
    });
    return rows[0]?.told === told;
  } catch (error) {
    if (error instanceof Error && 'code' in error && FORGOTTEN.has(String(error.code))) return false;
    throw error;
  }
}
