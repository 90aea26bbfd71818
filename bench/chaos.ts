import { parseArgs } from 'node:util';
import { Client } from 'pg';
import { say } from '../scripts/services/say.ts';
import { findWrongBooks } from './chaos/books.ts';
import { ChaosPerson, Happenings } from './chaos/people.ts';
import { runHeld, textOfHeld } from './chaos/purchases/held.ts';
import { runPurchases, textOfPurchases } from './chaos/purchases/run.ts';
import { waitUntilQuiet } from './chaos/quiet.ts';
import { Random } from './chaos/random.ts';
import { findWrongAnswers } from './chaos/answers.ts';
import { makePeople, openChaosStage, type ChaosLayout, type ChaosStage } from './chaos/stage.ts';
import { findBrokenWords } from './chaos/told.ts';
import { killAtRandom, KINDS, type Kind } from './chaos/victims.ts';
import { runBench, unlessStopped, wholeNumber } from './program.ts';
import { SetupError } from '../domain/setup-error.ts';

const HELP = `npm run chaos -- [options]

People do everything at once (send streamed, as JSON or for later, send again with the same id, stop, retry, look; an admin replays, grants and takes
back), against a fake model that fails in every way it knows. Meanwhile processes are killed with SIGKILL and started again. Then it waits until all is
quiet, and checks by SQL of its own: exactly one debit for a completed turn, equal to what it used, and none for any other; every hold ended; counters,
balances and rollups equal the ledger; nobody beyond 105 %; nothing stuck; what people were told is what is stored. What it finds is printed; the exit
code is then 2.

Everything is its own: PostgreSQL (with durable settings), Redis, Temporal, and the program in as many whole processes as you say (or API and worker
apart), each a process. Data lies below .turnkeeper/ and is deleted at the end. "--processes 3 --kills 1000" is the night's campaign.

  --seconds N    how long people act (default 120; with --kills, 6 for each)
  --seed N       decides who does what and what is killed when (default: a new one)
  --kind KIND    what is killed: apps (the program's processes), engine (Temporal, Redis), all (PostgreSQL and all of these); by default the seed decides.
                 purchases: people buy and give back instead, while API and worker are killed --kills times (default 200), until all is right
                 held: they do, while nothing is killed and Toss holds its answers for --seconds (default 90), and cuts connections
  --people N     default 50
  --kills N      default: one for every 6 seconds
  --processes N  processes of the program (default 1)
  --layout WORD  whole: each is API and worker in one (the default); apart: N API processes and N workers
  --json         one JSON object on standard output
  --help`;

const SECONDS_A_KILL = 6;

interface Settings {
  readonly seconds: number;
  readonly seed: number;
  readonly kind: Kind;
  readonly people: number;
  readonly kills: number;
  readonly processes: number;
  readonly layout: ChaosLayout;
}

interface Report extends Settings {
  readonly operations: number;
  readonly answers: Readonly<Record<string, number>>;
  readonly killed: Readonly<Record<string, number>>;
  /** Processes that ended though nobody killed them: what they needed was away. */
  readonly endedByThemselves: Readonly<Record<string, number>>;
  readonly turns: Readonly<Record<string, number>>;
  readonly debits: number;
  readonly debitedTokens: number;
  /** From the last operation until nothing was live any more. */
  readonly quietAfterSeconds: number;
  readonly findings: readonly string[];
}

async function main(stopping: AbortSignal): Promise<void> {
  const { values } = parseArgs({
    options: {
      seconds: { type: 'string' },
      seed: { type: 'string' },
      kind: { type: 'string' },
      people: { type: 'string' },
      kills: { type: 'string' },
      processes: { type: 'string' },
      layout: { type: 'string', default: 'whole' },
      json: { type: 'boolean' },
      help: { type: 'boolean' },
    },
  });
  if (values.help === true) return void process.stdout.write(`${HELP}\n`);
  const number = (option: 'seconds' | 'seed' | 'people' | 'kills' | 'processes', usual: number, least: number) =>
    wholeNumber(`--${option}`, values[option] ?? String(usual), { least, most: 4_294_967_295 });
  const seed = number('seed', Math.floor(Math.random() * 1_000_000), 0);
  const tell = <T extends { findings: readonly string[] }>(report: T, text: (of: T) => string) => {
    process.stdout.write(values.json === true ? `${JSON.stringify(report, null, 2)}\n` : text(report));
    if (report.findings.length > 0) process.exitCode = 2;
  };
  if (values.kind === 'purchases')
    return tell(await runPurchases(stopping, { seed, kills: number('kills', 200, 2) }), textOfPurchases);
  if (values.kind === 'held')
    return tell(await runHeld(stopping, { seed, heldMs: number('seconds', 90, 1) * 1_000 }), textOfHeld);
  const seconds = number(
    'seconds',
    values.kills === undefined ? 120 : Math.max(1, Number(values.kills) * SECONDS_A_KILL),
    1,
  );
  const { layout } = values;
  if (layout !== 'whole' && layout !== 'apart') throw new SetupError('--layout: must be whole or apart');
  const settings: Settings = {
    seconds,
    seed,
    kind: kindOf(values.kind, seed),
    people: number('people', 50, 1),
    kills: number('kills', Math.round(seconds / SECONDS_A_KILL), 0),
    processes: number('processes', 1, 1),
    layout,
  };
  say(`seed ${seed}: ${settings.people} people, ${seconds} s, ${settings.kills} kills of ${settings.kind}`);
  const stage = await openChaosStage(stopping, settings);
  try {
    const report = await unlessStopped(stopping, run(stage, settings));
    tell(report, textOf);
  } finally {
    await stage.close();
  }
}

function kindOf(text: string | undefined, seed: number): Kind {
  const kinds = Object.keys(KINDS) as Kind[];
  const kind = text === undefined ? kinds[seed % kinds.length] : kinds.find((name) => name === text);
  if (kind === undefined) throw new SetupError(`--kind: must be one of ${kinds.join(', ')}, purchases, held`);
  return kind;
}

async function run(stage: ChaosStage, settings: Settings): Promise<Report> {
  const { people: count, seconds, seed } = settings;
  const random = new Random(seed);
  // Every third is soon at their ceiling, and every third of the others comes there.
  const { people, admin } = await makePeople(stage.databaseUrl, count, (nth) => [800, 3_000, 100_000][nth % 3] ?? 0);
  const happenings = new Happenings();
  const until = Date.now() + seconds * 1_000;
  let isKilling = true;
  const isOver = () => !isKilling && Date.now() >= until;
  const acting = people.flatMap((person) => {
    const somebody = new ChaosPerson(person, { admin, urls: stage.urls, record: happenings, random: random.fork() });
    return [somebody.act(isOver), somebody.act(isOver)];
  });
  const told = setInterval(() => {
    const operations = sum([...happenings.statuses.values()]);
    say(`${operations} operations, ${happenings.turns.size} turns, ${happenings.findings.length} findings`);
  }, 10_000);
  const [lost] = await Promise.all([
    killAtRandom(stage.victims, { ...settings, ms: seconds * 1_000, random: random.fork() }).finally(() => {
      isKilling = false;
    }),
    ...acting,
  ]);
  clearInterval(told);
  const quietAfterSeconds = await waitUntilQuiet(stage);
  return judge(stage, settings, { happenings, lost, quietAfterSeconds });
}

async function judge(
  { databaseUrl, victims }: ChaosStage,
  settings: Settings,
  { happenings, lost, quietAfterSeconds }: { happenings: Happenings; lost: string[]; quietAfterSeconds: number },
): Promise<Report> {
  const client = new Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    const { rows: states } = await client.query<{ state: string; count: number }>(
      'select state, count(*)::int as count from turns group by state order by state',
    );
    const { rows: debits } = await client.query<{ count: number; tokens: number }>(
      `select count(*)::int as count, coalesce(sum(tokens), 0)::float8 as tokens from ledger_entries where kind = 'debit'`,
    );
    const all = Object.values(victims).flat();
    const counted = (figure: 'kills' | 'endedByItself') =>
      Object.fromEntries(all.filter((victim) => victim[figure] > 0).map((victim) => [victim.name, victim[figure]]));
    return {
      ...settings,
      operations: sum([...happenings.statuses.values()]),
      answers: Object.fromEntries([...happenings.statuses].sort()),
      killed: counted('kills'),
      endedByThemselves: counted('endedByItself'),
      turns: Object.fromEntries(states.map(({ state, count }) => [state, count])),
      debits: debits[0]?.count ?? 0,
      debitedTokens: debits[0]?.tokens ?? 0,
      quietAfterSeconds: Math.round(quietAfterSeconds),
      findings: [
        ...lost,
        ...happenings.findings,
        ...(await findWrongBooks(client)),
        ...(await findWrongAnswers(client)),
        ...(await findBrokenWords(client, { turns: happenings.turns.values(), grants: happenings.grants })),
      ],
    };
  } finally {
    await client.end();
  }
}

function textOf({ findings, answers, killed, endedByThemselves, turns, ...report }: Report): string {
  const list = (figures: Readonly<Record<string, number>>) =>
    Object.entries(figures)
      .map(([name, count]) => `${count} ${name}`)
      .join(', ') || 'none';
  return [
    `seed ${report.seed}, ${report.processes} ${report.layout}, kills of ${report.kind}: ${report.operations} operations of ${report.people} people in ${report.seconds} s`,
    `killed: ${sum(Object.values(killed))} (${list(killed)}); ended by themselves and started again: ${list(endedByThemselves)}`,
    `turns: ${list(turns)}; ${report.debits} debits of ${report.debitedTokens} tokens; quiet after ${report.quietAfterSeconds} s`,
    `answers: ${list(answers)}`,
    findings.length === 0 ? 'nothing found' : `FOUND ${findings.length}:`,
    ...findings.map((finding) => `  ${finding}`),
    '',
  ].join('\n');
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}

await runBench(main);
