import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { Client } from 'pg';
import { openDatabase, type Database } from '../db/database.ts';
import { migrate } from '../db/migrate.ts';
import { proveBooks } from '../db/money/proof.ts';
import { say } from '../scripts/services/say.ts';
import { seedLedger } from './seed-ledger.ts';
import { seedSearch } from './seed-search.ts';
import { seedTurns } from './seed-turns.ts';

export interface SeededLedger {
  readonly url: string;
  readonly accounts: number;
  /** When its last debit was booked; the bench takes this for now. */
  readonly now: number;
}

const MONTHS = 3;
/** The 28th of a month, so that all three months are nearly full. */
const NOW = Date.parse('2026-11-28T12:00:00+09:00');

export async function findSeededLedger(
  server: string,
  { rows, accounts }: { rows: number; accounts: number },
): Promise<SeededLedger> {
  const url = await findSeeded(server, {
    size: `${rows}_${accounts}`,
    source: 'seed-ledger.ts',
    seed: (client) => seedLedger(client, { rows, accounts, months: MONTHS, now: NOW }, say),
    async check(database) {
      // A seeded ledger must be one that could have grown by use.
      if (rows <= 100_000 && (await proveBooks(database)).mismatches > 0)
        throw new Error('the seeded counters differ from the ledger');
    },
  });
  return { url, accounts, now: NOW };
}

export function findSeededTurns(server: string, rows: number): Promise<string> {
  return findSeeded(server, {
    size: `turns_${rows}`,
    source: 'seed-turns.ts',
    seed: (client) => seedTurns(client, rows, say),
  });
}

export function findSeededSearch(server: string, messages: number): Promise<string> {
  return findSeeded(server, {
    size: `search_${messages}`,
    source: 'seed-search.ts',
    seed: (client) => seedSearch(client, messages, say),
  });
}

interface Seeding {
  readonly size: string;
  /** The file in this folder that seeds it. */
  readonly source: string;
  readonly seed: (client: Client) => Promise<void>;
  readonly check?: (database: Database) => Promise<void>;
}

/**
 * Finds the database of that size on the server, or seeds it. Its name contains a hash of schema and seed, so an old
 * one is never used.
 */
async function findSeeded(server: string, seeding: Seeding): Promise<string> {
  const name = `turnkeeper_bench_${seeding.size}_${hashSources(seeding.source)}`;
  const client = await connect(server);
  try {
    const { rowCount } = await client.query('select 1 from pg_database where datname = $1', [name]);
    if (rowCount === 0) await create(client, server, name, seeding);
    else say(`using ${name}, seeded before`);
  } finally {
    await client.end();
  }
  return urlOf(server, name);
}

/**
 * The database has another name until it is complete, so that an interrupted seeding is never taken for a complete one.
 */
async function create(client: Client, server: string, name: string, { seed, check }: Seeding): Promise<void> {
  const part = `${name}_new`;
  await client.query(`drop database if exists ${part}`);
  await client.query(`create database ${part}`);
  await migrate(urlOf(server, part));
  const database = await openDatabase({ url: urlOf(server, part), poolMax: 2 });
  const began = performance.now();
  const seeding = await connect(urlOf(server, part));
  await seed(seeding);
  await seeding.end();
  await check?.(database);
  await database.close();
  await client.query(`alter database ${part} rename to ${name}`);
  say(`seeded ${name} in ${Math.round((performance.now() - began) / 1_000)} s`);
}

async function connect(url: string): Promise<Client> {
  const client = new Client({ connectionString: url });
  await client.connect();
  return client;
}

function hashSources(source: string): string {
  const root = new URL('..', import.meta.url);
  const hash = createHash('sha256').update(readFileSync(new URL(`bench/${source}`, root)));
  const migrations = new URL('migrations/', root);
  for (const file of readdirSync(migrations).sort()) hash.update(readFileSync(new URL(file, migrations)));
  return hash.digest('hex').slice(0, 8);
}

function urlOf(server: string, database: string): string {
  const url = new URL(server);
  url.pathname = `/${database}`;
  return url.href;
}
