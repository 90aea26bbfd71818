import { createHash, randomUUID } from 'node:crypto';
import { parseArgs } from 'node:util';
import { Client } from 'pg';
import { openDatabase, type Database } from '../db/database.ts';
import { migrate } from '../db/migrate.ts';
import { grantTokens } from '../db/money/grants.ts';
import { proveBooks } from '../db/money/proof.ts';
import { publishRates } from '../db/money/rates.ts';
import { createUser } from '../db/people/users.ts';
import { acceptTurn } from '../db/turns/accept.ts';
import { openAttempt, storeAnswer } from '../db/turns/attempts.ts';
import { reserveTurn } from '../db/turns/reserve.ts';
import { settleTurn } from '../db/turns/settle.ts';
import { CLI_ACTOR } from '../domain/audit.ts';
import type { PricedModel } from '../domain/model.ts';
import { readCatalogue } from '../platform/config/catalogue.ts';
import { startPostgres } from '../scripts/services/postgres/postgres.ts';
import { say } from '../scripts/services/say.ts';
import { openKeptServices } from './kept-services.ts';
import { MANY, runBench, unlessStopped, wholeNumber } from './program.ts';

const HELP = `npm run bench:growth -- [options]

How much the database grows: turns run through the program's own functions, 20 of them a conversation and 50 a person and month, with questions of 80
Korean characters and answers of 400. Then it asks PostgreSQL for the size of each table, indexes included. Rows that no turn writes (grants, alerts,
redrives) are made apart. It prints megabytes for a million turns, or for a million rows of those.

  --turns N  default 5000; an index has half-empty pages at its end, so few turns look larger
  --help`;

const QUESTION = '이번 달에 쓴 토큰이 얼마나 되는지 날짜별로 알려 주시고 남은 양도 함께 정리해 주세요. '.padEnd(
  80,
  '가',
);
const ANSWER = '요청하신 내용을 날짜별로 정리해 드리겠습니다. '.repeat(20).slice(0, 400);
const [PER_PERSON, PER_CONVERSATION, CALLERS] = [50, 20, 16];

/** Tables, and by what a million is counted. */
const TABLES = {
  turns: 'turns',
  conversations: 'turns',
  attempts: 'turns',
  holds: 'turns',
  ledger_entries: 'turns',
  usage_rollups: 'turns',
  proved_periods: 'turns',
  audit_entries: 'rows',
  alerts: 'rows',
  notifications: 'rows',
  deliveries: 'rows',
  redrive_turns: 'rows',
  turn_prompts: 'rows',
  answer_feedback: 'rows',
} as const satisfies Record<string, 'turns' | 'rows'>;

async function main(stopping: AbortSignal): Promise<void> {
  const { values } = parseArgs({ options: { turns: { type: 'string' }, help: { type: 'boolean' } } });
  if (values.help === true) return void process.stdout.write(`${HELP}\n`);
  const turns = wholeNumber('--turns', values.turns ?? '5000', MANY);
  const bench = await openKeptServices('bench-growth', stopping);
  try {
    const postgres = await bench.parts.start(startPostgres(bench.context, process.env['DATABASE_URL']));
    process.stdout.write(await unlessStopped(stopping, run(await freshDatabase(postgres.url), turns)));
  } finally {
    await bench.close();
  }
}

async function freshDatabase(server: string): Promise<string> {
  const client = new Client({ connectionString: server });
  await client.connect();
  await client.query('drop database if exists turnkeeper_bench_growth with (force)');
  await client.query('create database turnkeeper_bench_growth');
  await client.end();
  const url = new URL(server);
  url.pathname = '/turnkeeper_bench_growth';
  await migrate(url.href);
  return url.href;
}

async function run(url: string, turns: number): Promise<string> {
  const database = await openDatabase({ url, poolMax: CALLERS });
  try {
    const [model] = await publishRates(
      database,
      readCatalogue(undefined).map((entry) => ({ ...entry, instructions: '' })),
    );
    if (model === undefined) throw new Error('a catalogue has a model');
    say(`running ${turns} turns`);
    let left = Math.ceil(turns / PER_PERSON);
    const people = async () => {
      while (left > 0) {
        left -= 1;
        await live(database, model);
      }
    };
    await Promise.all(Array.from({ length: CALLERS }, people));
    await proveBooks(database);
  } finally {
    await database.close();
  }
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    for (const statement of APART) await client.query(statement);
    await client.query('vacuum');
    return textOf(await sizes(client));
  } finally {
    await client.end();
  }
}

/** A person's month. */
async function live(database: Database, model: PricedModel): Promise<void> {
  const { userId } = await createUser(database, { email: null, role: 'user' });
  const grant = { userId, tokens: 1_000_000, reason: '구매', key: randomUUID(), actor: CLI_ACTOR };
  const { accountId } = await grantTokens(database, grant);
  let conversationId: string | null = null;
  for (let nth = 0; nth < PER_PERSON; nth += 1) {
    if (nth % PER_CONVERSATION === 0) conversationId = null;
    const {
      turn: { turnId, conversationId: own },
    } = await acceptTurn(database, {
      userId,
      accountId,
      conversationId,
      turnId: randomUUID(),
      idempotencyKey: null,
      message: QUESTION,
      isLong: false,
      countMessage: () => 40,
      encoding: model.encoding,
      model: model.name,
      askedOutput: 400,
      bodyHash: createHash('sha256').update(`${nth}`).digest(),
    });
    conversationId = own;
    await answer(database, model, turnId);
  }
}

async function answer(database: Database, model: PricedModel, turnId: string): Promise<void> {
  const context = { findModel: () => model, countTokens: (text: string) => text.length / 2, runId: randomUUID() };
  await reserveTurn(database, turnId, { cancelled: false, isReset: false }, context);
  const opened = await openAttempt(database, turnId, {
    ...context,
    temporalAttempt: 1,
    scheduledAt: Date.now(),
    limitMs: 300_000,
  });
  if (opened?.kind !== 'opened') throw new Error(`no attempt was opened: ${opened?.kind}`);
  const stored = await storeAnswer(database, {
    turnId,
    attempt: opened.number,
    outcome: 'completed',
    text: ANSWER,
    textTokens: 200,
    usage: { promptTokens: 60, cachedTokens: 0, completionTokens: 200, reasoningTokens: 0 },
    estimated: false,
    figures: null,
    finishReason: 'stop',
    finishWord: 'stop',
    finishUnknown: false,
    streamEntries: 40,
    providerRequestId: `req_${turnId}`,
  });
  if (stored?.kind !== 'answered') throw new Error(`no answer was stored: ${stored?.kind}`);
  await settleTurn(database, { turnId, answer: stored.answer });
}

/**
 * As many alerts and audit entries as turns, each alert told to one person, and each turn once in a redrive, rated, and
 * with a row of the OpenAI door whose text is erased.
 */
const APART = [
  `insert into alerts (account_id, period_id, level, nth, used_tokens, total_tokens, created_at)
     select t.account_id, p.id, 'WARNING', row_number() over (partition by t.account_id), 90000, 100000, now()
     from turns t join periods p on p.account_id = t.account_id`,
  `insert into notifications (user_id, alert_id, level, title, body, purchase_url, created_at, read_at)
     select a.user_id, l.id, 'WARNING', '토큰의 90.12%를 사용했습니다', repeat('남은 토큰과 초기화 시각을 알려 드립니다. ', 4), 'https://example.com/purchase', now(), now()
     from alerts l join accounts a on a.id = l.account_id`,
  `insert into deliveries (notification_id, channel, state, due_at, ended_at) select id, 'in_app', 'delivered', now(), now() from notifications`,
  `insert into audit_entries (action, target, reason, after)
     select 'tokens.grant', 'user:' || user_id, '구매', '{"purchasedTokens": 1000000, "debtTokens": 0, "userId": 1, "entryId": 1, "tokens": 1000000}' from turns`,
  `insert into redrives (id, filter, reason, include_superseded, rate_per_second) values (gen_random_uuid(), '{}', 'r', false, 1)`,
  `insert into redrive_turns (redrive_id, turn_id, position, state, started_at, ended_at)
     select r.id, t.id, row_number() over (order by t.id), 'completed', now(), now() from redrives r cross join turns t`,
  `insert into turn_prompts (turn_id, streamed, first_delta_at, erased_at) select id, true, now(), now() from turns`,
  `insert into answer_feedback (turn_id, model, rating) select id, model, 'good' from turns`,
];

interface Size {
  readonly table: string;
  readonly rows: number;
  readonly bytes: number;
  readonly turns: number;
}

async function sizes(client: Client): Promise<Size[]> {
  const found: Size[] = [];
  for (const table of Object.keys(TABLES)) {
    const { rows } = await client.query<Size>(
      `select '${table}' as "table", (select count(*)::int from ${table}) as rows, pg_total_relation_size('${table}')::float8 as bytes,
         (select count(*)::int from turns) as turns`,
    );
    found.push(...rows);
  }
  return found;
}

function textOf(found: readonly Size[]): string {
  const line = (cells: readonly string[]) =>
    cells.map((cell, i) => (i === 0 ? cell.padEnd(16) : cell.padStart(14))).join('');
  return [
    `${found[0]?.turns ?? 0} turns of ${PER_PERSON} a person and month; indexes included`,
    line(['', 'rows', 'bytes a row', 'MB a million', 'of']),
    ...found.map(({ table, rows, bytes, turns }) => {
      const of = Object.entries(TABLES).find(([name]) => name === table)?.[1] ?? 'rows';
      return line([
        table,
        String(rows),
        (bytes / rows).toFixed(0),
        (bytes / (of === 'turns' ? turns : rows)).toFixed(0),
        of,
      ]);
    }),
    '',
  ].join('\n');
}

await runBench(main);
