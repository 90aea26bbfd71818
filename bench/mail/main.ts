import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { Client } from 'pg';
import { openDatabase } from '../../db/database.ts';
import { createUser } from '../../db/people/users.ts';
import { freePort } from '../../scripts/services/port.ts';
import { say } from '../../scripts/services/say.ts';
import { chat, everySoOften, over, textOfChats, type Chats } from '../chatting.ts';
import { MACHINE, runBench, unlessStopped, wholeNumber } from '../program.ts';
import { openStage, type Stage } from '../stage.ts';
import { MailServer } from './mail-server.ts';

const HELP = `npm run bench:mail -- [options]

The mail server goes away while alerts go on: are all delivered afterwards, and does anybody who chats notice? The program runs as \`npm start\` runs
it. People reach 92 % one after the other, each of them with an address, and others chat all the while: first with a mail server that takes all,
then without one, and then with one again until nothing waits. Retries are as the program has them.

  --minutes N   without a mail server (default 30); before it, a third of that with one
  --rate N      alerts an hour (default 10000)
  --json        one JSON object on standard output instead of a table
  --help`;

const HOUR_MS = 3_600_000;
interface Report {
  readonly minutes: number;
  readonly rate: number;
  readonly alerts: number;
  /** Of them, shown in the app. */
  readonly inApp: number;
  readonly delivered: number;
  /** Mails that came more than once. */
  readonly copies: number;
  /** From the mail server's return until nothing waited. */
  readonly deliveredAfterSeconds: number;
  readonly chats: { readonly withMail: Chats; readonly without: Chats };
  readonly findings: readonly string[];
}

async function main(stopping: AbortSignal): Promise<void> {
  const { values } = parseArgs({
    options: {
      minutes: { type: 'string' },
      rate: { type: 'string' },
      json: { type: 'boolean' },
      help: { type: 'boolean' },
    },
  });
  if (values.help === true) return void process.stdout.write(`${HELP}\n`);
  const minutes = wholeNumber('--minutes', values.minutes ?? '30', { least: 1, most: 600 });
  const rate = wholeNumber('--rate', values.rate ?? '10000', { least: 1, most: 1_000_000 });
  const port = await freePort();
  const stage = await openStage(stopping, {
    layout: 'one',
    pids: new Map(),
    settings: {
      SMTP_URL: `smtp://127.0.0.1:${port}`,
      MAIL_FROM: 'Turnkeeper <no-reply@turnkeeper.example>',
      PUBLIC_URL: 'https://chat.example',
      TEST_ROUTES: 'true',
      READS_PER_SECOND: '100000',
    },
  });
  const mail = new MailServer(port);
  try {
    const report = await unlessStopped(stopping, run({ stage, mail }, { minutes, rate }));
    process.stdout.write(
      values.json === true ? `${JSON.stringify({ machine: MACHINE, ...report }, null, 2)}\n` : textOf(report),
    );
    if (report.findings.length > 0) process.exitCode = 2;
  } finally {
    await mail.stop();
    await stage.close();
  }
}

async function run(
  { stage, mail }: { stage: Stage; mail: MailServer },
  { minutes, rate }: { minutes: number; rate: number },
): Promise<Report> {
  const client = new Client({ connectionString: stage.postgresUrl });
  await client.connect();
  const perMinute = rate / 60;
  const people = await makePeople(stage.postgresUrl, client, Math.ceil(perMinute * minutes * (4 / 3)) + 1);
  let alerted = 0;
  const refused: string[] = [];
  const alerting = (ms: number) =>
    everySoOften(HOUR_MS / rate, over(ms), async () => {
      const person = people[alerted];
      if (person === undefined) return;
      alerted += 1;
      const status = await reach(stage.urls[0] ?? '', person);
      if (status !== 200) refused.push(`an account was not brought to 92 %: ${status}`);
    });
  const during = async (ms: number) => {
    const [chats] = await Promise.all([chat(stage, over(ms)), alerting(ms)]);
    return chats;
  };
  await mail.begin();
  say(`with a mail server for ${minutes / 3} minutes`);
  const withMail = await during((minutes / 3) * 60_000);
  await mail.stop();
  say(`without one for ${minutes} minutes`);
  const without = await during(minutes * 60_000);
  await mail.begin();
  const back = Date.now();
  const counted = await untilNothingWaits(client, { alerted, minutes });
  const deliveredAfterSeconds = Math.round((Date.now() - back) / 1_000);
  await client.end();
  const ids = [...mail.received.values()];
  return {
    minutes,
    rate,
    alerts: alerted,
    inApp: counted.inApp,
    delivered: mail.received.size,
    copies: ids.reduce((sum, times) => sum + times - 1, 0),
    deliveredAfterSeconds,
    chats: { withMail, without },
    findings: [
      ...refused,
      ...(counted.inApp === alerted ? [] : [`${alerted} alerts, and ${counted.inApp} of them in the app`]),
      ...(counted.failed === 0 ? [] : [`${counted.failed} deliveries failed`]),
      ...(counted.pending === 0 ? [] : [`${counted.pending} deliveries still wait`]),
      ...(mail.received.size === alerted ? [] : [`${alerted} alerts, and ${mail.received.size} mails`]),
      ...(withMail.failed + without.failed === 0 ? [] : ['somebody who chats was not answered']),
    ],
  };
}

type Asker = Awaited<ReturnType<typeof createUser>>;

async function makePeople(url: string, client: Client, count: number): Promise<Asker[]> {
  say(`making ${count} people`);
  const database = await openDatabase({ url, poolMax: 4 });
  const people: Asker[] = [];
  for (let n = 0; n < count; n += 1) people.push(await createUser(database, { email: null, role: 'user' }));
  await database.close();
  await client.query(
    `insert into addresses (user_id, email, verified_at) select id, 'p' || id || '@example.com', now() from unnest($1::bigint[]) id`,
    [people.map(({ userId }) => userId)],
  );
  return people;
}

async function reach(url: string, { userId, token }: Asker): Promise<number> {
  const response = await fetch(`${url}/api/ai-usage/test-usage`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify({ userId, usagePercent: 92 }),
  });
  await response.arrayBuffer();
  return response.status;
}

interface Counted {
  readonly inApp: number;
  readonly mails: number;
  readonly failed: number;
  readonly pending: number;
}

async function untilNothingWaits(
  client: Client,
  { alerted, minutes }: { alerted: number; minutes: number },
): Promise<Counted> {
  // A pause is as long as the time since the first attempt, and a tenth more.
  const deadline = Date.now() + (minutes * 2 + 10) * 60_000;
  for (;;) {
    const { rows } = await client.query<Counted>(`select
      count(*) filter (where channel = 'in_app' and state = 'delivered')::int as "inApp", count(*) filter (where channel = 'email')::int as mails,
      count(*) filter (where state = 'failed')::int as failed, count(*) filter (where state = 'pending')::int as pending from deliveries`);
    const [counted] = rows;
    if (counted === undefined) throw new Error('nothing was counted');
    if ((counted.pending === 0 && counted.mails === alerted) || Date.now() > deadline) return counted;
    say(`${counted.pending} mails wait`);
    await sleep(10_000);
  }
}

function textOf({ findings, chats, ...report }: Report): string {
  return [
    `${report.alerts} alerts at ${report.rate} an hour, ${report.inApp} in the app; ${report.delivered} mails delivered (${report.copies} copies), the last ${report.deliveredAfterSeconds} s after the mail server was back from ${report.minutes} minutes`,
    'people who chat, meanwhile:',
    textOfChats('with mail', chats.withMail),
    textOfChats('without', chats.without),
    findings.length === 0 ? 'nothing found' : `FOUND ${findings.length}:`,
    ...findings.map((finding) => `  ${finding}`),
    '',
  ].join('\n');
}

await runBench(main);
