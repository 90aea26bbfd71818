import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { Client } from 'pg';
import { openDatabase } from '../db/database.ts';
import { migrate } from '../db/migrate.ts';
import { countMismatches } from '../db/reconcile.ts';
import { say } from '../scripts/services/say.ts';
import { seedLedger } from './seed-ledger.ts';

export interface Seeded {
  readonly url: string;
  readonly accounts: number;
  /** When its last debit was booked: what counts as now. */
  readonly now: number;
}

const MONTHS = 3;
/** The 28th of a month, so that all three are nearly full. */
const NOW = Date.parse('2026-11-28T12:00:00+09:00');

/** The database of that size on the server, seeded when it is not there. Its name tells the schema and the seed, so that neither is ever an old one. */
export async function findSeeded(server: string, { rows, accounts }: { rows: number; accounts: number }): Promise<Seeded> {
  const name = `turnkeeper_bench_${rows}_${accounts}_${hashSources()}`;
  const client = await connect(server);
  try {
    const { rowCount } = await client.query('select 1 from pg_database where datname = $1', [name]);
    if (rowCount === 0) await create(client, server, name, { rows, accounts });
    else say(`using ${name}, seeded before`);
  } finally {
    await client.end();
  }
  return { url: urlOf(server, name), accounts, now: NOW };
}

/** Under another name until it is whole, so that a seeding that was interrupted is never taken for one. */
async function create(client: Client, server: string, name: string, { rows, accounts }: { rows: number; accounts: number }): Promise<void> {
  const part = `${name}_new`;
  await client.query(`drop database if exists ${part}`);
  await client.query(`create database ${part}`);
  const database = await openDatabase({ url: urlOf(server, part), poolMax: 2 });
  await migrate(database);
  const began = performance.now();
  const seeding = await connect(urlOf(server, part));
  await seedLedger(seeding, { rows, accounts, months: MONTHS, now: NOW }, say);
  await seeding.end();
  // What is measured must be a ledger that could have grown; the proof of all of a larger one would outlast a statement's 15 s.
  if (rows <= 100_000 && await countMismatches(database, { sinceMs: 10 * 365 * 86_400_000 }) > 0) throw new Error('the seeded counters differ from the ledger');
  await database.close();
  await client.query(`alter database ${part} rename to ${name}`);
  say(`seeded ${name} in ${Math.round((performance.now() - began) / 1_000)} s`);
}

async function connect(url: string): Promise<Client> {
  const client = new Client({ connectionString: url });
  await client.connect();
  return client;
}

function hashSources(): string {
  const root = new URL('..', import.meta.url);
  const hash = createHash('sha256').update(readFileSync(new URL('bench/seed-ledger.ts', root)));
  const migrations = new URL('migrations/', root);
  for (const file of readdirSync(migrations).sort()) hash.update(readFileSync(new URL(file, migrations)));
  return hash.digest('hex').slice(0, 8);
}

function urlOf(server: string, database: string): string {
  const url = new URL(server);
  url.pathname = `/${database}`;
  return url.href;
}
