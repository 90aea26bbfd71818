import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import type { Client as TemporalClient } from '@temporalio/client';
import { Client } from 'pg';
import { connectTemporal } from '../../platform/temporal/connection.ts';
import { freePort } from '../../scripts/services/port.ts';
import { say } from '../../scripts/services/say.ts';
import { chat, over, textOfChats, type Chats } from '../chatting.ts';
import { MailServer } from '../mail/mail-server.ts';
import { MACHINE, MANY, runBench, unlessStopped, wholeNumber } from '../program.ts';
import { openStage, type Stage } from '../stage.ts';
import { closedMonth, FIRST_ID, seedClosedMonths, ZONE, type ClosedMonth } from './seed.ts';

const HELP = `npm run bench:months -- [options]

The month ends for many accounts at the same instant: how long until each has its new month and the report of the old one, and does anybody who
chats notice? The program runs as \`npm start\` runs it. The accounts had 20 debits each, and a tenth of them was warned; what fires at 04:05 is fired
at once. People chat before and meanwhile. At the end each account has one new month, one report and was told once.

  --accounts N      default 10000
  --planner WHICH   zone (default): one schedule for all. user: one a account, all due at once
  --mail            everybody has an address, so that a mail is written for each (it leaves at 9 o'clock)
  --json            one JSON object on standard output instead of a table
  --help`;

/** How long people chat before anything is fired. */
const BEFORE_MS = 60_000;
/** As many starts as the server of \`npm start\` takes at a time. */
const STARTS_AT_ONCE = 50;

interface Report {
  readonly accounts: number;
  readonly planner: string;
  readonly mail: boolean;
  /** From the firing until the last month was open, and until the last report was there. */
  readonly resetSeconds: number;
  readonly reportSeconds: number;
  readonly chats: { readonly before: Chats; readonly meanwhile: Chats };
  readonly findings: readonly string[];
}

async function main(stopping: AbortSignal): Promise<void> {
  const { values } = parseArgs({
    options: {
      accounts: { type: 'string' },
      planner: { type: 'string' },
      mail: { type: 'boolean' },
      json: { type: 'boolean' },
      help: { type: 'boolean' },
    },
  });
  if (values.help === true) return void process.stdout.write(`${HELP}\n`);
  const accounts = wholeNumber('--accounts', values.accounts ?? '10000', MANY);
  const planner = values.planner === 'user' ? 'user' : 'zone';
  const port = await freePort();
  const stage = await openStage(stopping, {
    layout: 'one',
    pids: new Map(),
    settings: {
      SCHEDULE_PLANNER: planner === 'user' ? 'account' : planner,
      ...(values.mail === true
        ? {
            SMTP_URL: `smtp://127.0.0.1:${port}`,
            MAIL_FROM: 'Turnkeeper <no-reply@turnkeeper.example>',
            PUBLIC_URL: 'https://chat.example',
          }
        : {}),
    },
  });
  const mail = new MailServer(port);
  try {
    await mail.begin();
    const how = { accounts, planner, mail: values.mail === true } as const;
    const report = await unlessStopped(stopping, run(stage, how));
    process.stdout.write(
      values.json === true ? `${JSON.stringify({ machine: MACHINE, ...report }, null, 2)}\n` : textOf(report),
    );
    if (report.findings.length > 0) process.exitCode = 2;
  } finally {
    await mail.stop();
    await stage.close();
  }
}

async function run(stage: Stage, how: { accounts: number; planner: 'zone' | 'user'; mail: boolean }): Promise<Report> {
  const client = new Client({ connectionString: stage.postgresUrl });
  await client.connect();
  // What went wrong is told by the query that did; the server goes before this does.
  client.on('error', () => {});
  const temporal = await connectTemporal({ address: stage.temporalUrl, namespace: 'default', codec: null, env: {} });
  let isOver = false;
  try {
    const month = closedMonth(Date.now());
    say(`seeding ${how.accounts} accounts whose ${month.label} is over`);
    await seedClosedMonths(client, month, how.accounts);
    say('people chat');
    const before = await chat(stage, over(BEFORE_MS));
    const meanwhile = chat(stage, () => isOver);
    const began = Date.now();
    const [times] = await Promise.all([
      untilAllAreThere(client, { ...how, month, began }),
      FIRE[how.planner](temporal.client, { ...how, month }),
    ]);
    isOver = true;
    const chats = { before, meanwhile: await meanwhile };
    return { ...how, ...times, chats, findings: [...(await judge(client, how.accounts, month)), ...unanswered(chats)] };
  } finally {
    isOver = true;
    await temporal.close();
    await client.end();
  }
}

interface Firing {
  readonly accounts: number;
  readonly month: ClosedMonth;
}

const FIRE = {
  async zone(client: TemporalClient, { month }: Firing) {
    await client.workflow.execute('fanOut', {
      workflowId: 'bench-fan-out',
      taskQueue: 'background',
      args: [
        { kind: 'reset', timeZone: ZONE },
        { firedFor: month.firedFor, after: 0, outcomes: {}, failed: 0 },
      ],
    });
  },
  async user(client: TemporalClient, { accounts }: Firing) {
    let next = FIRST_ID;
    const start = async () => {
      for (let userId = next++; userId < FIRST_ID + accounts; userId = next++)
        await client.workflow.start('allowanceReset', {
          workflowId: `bench-reset/${userId}`,
          taskQueue: 'background',
          args: [{ userId }],
          workflowExecutionTimeout: '15 minutes',
        });
    };
    await Promise.all(Array.from({ length: STARTS_AT_ONCE }, start));
  },
} as const satisfies Record<string, (client: TemporalClient, firing: Firing) => Promise<void>>;

async function untilAllAreThere(
  client: Client,
  { accounts, month, began }: Firing & { began: number },
): Promise<{ resetSeconds: number; reportSeconds: number }> {
  let resetSeconds = 0;
  // A tenth of what this machine does, so that a firing that hangs ends the bench.
  const deadline = began + Math.max(300_000, accounts * 500);
  for (;;) {
    const { rows } = await client.query<{ months: number; reports: number }>(
      `select (select count(*)::int from periods where label = $1 and account_id >= ${FIRST_ID}) as months,
        (select count(*)::int from notifications where kind = 'usage.report' and key = $2 and user_id >= ${FIRST_ID}) as reports`,
      [month.next, month.label],
    );
    const [{ months = 0, reports = 0 } = {}] = rows;
    const seconds = Math.round((Date.now() - began) / 1_000);
    if (months >= accounts && resetSeconds === 0) resetSeconds = seconds;
    if (reports >= accounts || Date.now() > deadline) return { resetSeconds, reportSeconds: seconds };
    if (seconds % 10 < 2) say(`${months} months are open and ${reports} reports there after ${seconds} s`);
    await sleep(2_000);
  }
}

async function judge(client: Client, accounts: number, { label, next }: ClosedMonth): Promise<string[]> {
  const of = { label, next };
  const warned = Math.floor((FIRST_ID + accounts - 1) / 10) - Math.floor((FIRST_ID - 1) / 10);
  // People who chat have accounts of their own, below the seeded ones.
  const counts: [string, string, keyof typeof of, number][] = [
    ['months that began', 'from periods where account_id >= $1 and label = $2', 'next', accounts],
    ['reports', 'from usage_reports where account_id >= $1 and label = $2', 'label', accounts],
    [
      'tellings of one',
      `from notifications where user_id >= $1 and kind = 'usage.report' and key = $2`,
      'label',
      accounts,
    ],
    [
      'tellings of the reset',
      `from notifications where user_id >= $1 and kind = 'usage.reset' and key = $2`,
      'next',
      warned,
    ],
  ];
  const findings: string[] = [];
  for (const [what, where, key, wanted] of counts) {
    const { rows } = await client.query<{ n: number }>(`select count(*)::int as n ${where}`, [FIRST_ID, of[key]]);
    if (rows[0]?.n !== wanted) findings.push(`${rows[0]?.n ?? 0} ${what}, and not ${wanted}`);
  }
  return findings;
}

function unanswered({ before, meanwhile }: Report['chats']): string[] {
  return before.failed + meanwhile.failed === 0 ? [] : ['somebody who chats was not answered'];
}

function textOf({ findings, chats, ...report }: Report): string {
  return [
    `${report.accounts} accounts whose month ended at once, ${report.planner === 'zone' ? 'one schedule for all' : 'a schedule each'}${report.mail ? ', a mail each' : ''}: all months open after ${report.resetSeconds} s, all reports there and told after ${report.reportSeconds} s (${(report.accounts / Math.max(1, report.reportSeconds)).toFixed(0)} a second)`,
    'people who chat:',
    textOfChats('before', chats.before),
    textOfChats('meanwhile', chats.meanwhile),
    findings.length === 0 ? 'nothing found' : `FOUND ${findings.length}:`,
    ...findings.map((finding) => `  ${finding}`),
    '',
  ].join('\n');
}

await runBench(main);
