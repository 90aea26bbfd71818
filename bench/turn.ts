import { resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { SetupError } from '../domain/setup-error.ts';
import { say } from '../scripts/services/say.ts';
import { closeConnections } from './ask.ts';
import { runBlock } from './block.ts';
import { measureBurst } from './burst.ts';
import { MODEL, type Contender } from './contenders.ts';
import { measureLadder } from './ladder.ts';
import { LAYOUTS, type Layout } from './layouts.ts';
import type { Report } from './measured.ts';
import { EFFORTS, measureLatency, measureStream, measureThroughput, type Effort } from './measures.ts';
import { residentMegabytes } from './processes.ts';
import { MACHINE, runBench, unlessStopped, wholeNumber } from './program.ts';
import { ANSWERS } from './question.ts';
import { textOf } from './report.ts';
import { openStage, type Stage, type StageOptions } from './stage.ts';
import { judge } from './targets.ts';

const HELP = `npm run bench:turn -- [options]

What a durable turn costs. In one run and in turn, so that a busy machine meets them alike, it asks the same questions of
  turnkeeper  as \`npm start\` runs it: one process, embedded PostgreSQL that syncs to the disk, Redis, Temporal
  bare        an Express handler with the same two transactions and the same model client, without Temporal and Redis
  direct      the model itself, a fake one in a process of its own
and checks every answer. At the end each target stands beside what was measured. Nothing else should run meanwhile; it starts what it needs and
stops it. Linux only (CPU comes from /proc).

  --only LIST       some of latency,throughput,stream,ladder,burst
  --quick           one short round of each: a look, no figures
  --layout NAME     one (the default), three: three whole processes, or split: two API processes and two workers
  --temporal ADDR   a Temporal of yours instead of the embedded one, as one that keeps its data in PostgreSQL
  --pids LIST       NAME=PID,…: processes that you started and whose CPU counts, such as temporal=4711
  --node-flags LIST flags of Node for the app, behind its own, such as --max-semi-space-size=16
  --profile DIR     writes CPU profiles of the app's threads there (--cpu-prof); its figures are then those of a profiled app
  --json            one JSON object on standard output instead of tables
  --help

\`npm run bench:door\` is the same with --door: latency, throughput and stream of our OpenAI door (door) beside the chat door and LiteLLM, which it
installs from PyPI into a folder of its own (one worker, no database); what cannot be installed is said and left out.

Against a gateway of any make that speaks OpenAI's protocol: point it at the fake model, http://127.0.0.1:4010/v1 (any key), and add
  --gateway NAME=URL  where it listens, with its /v1; again for another one
  --key KEY         its key for us (bench); {n} in it is the number of the person who asks, 0 to 63
  --model NAME      what it calls the model (gpt-4.1-mini)
  --model-port N    where the fake model listens (4010)
Its CPU is counted with --pids NAME=PID (and NAME-database=PID, …).`;

type Contenders = Readonly<Record<string, Contender>>;
type Failed = (what: string, error: unknown) => void;

/** The contenders that are always measured. */
const OURS = ['turnkeeper', 'door', 'bare', 'direct'];
/** These take any load: a ladder of theirs would measure the bench itself. */
const NO_SERVICE = ['bare', 'direct'];

const MEASURES = {
  latency: measureLatency,
  throughput: measureThroughput,
  stream: measureStream,
  ladder: oneByOne('ladder', measureLadder),
  burst: oneByOne('burst', measureBurst),
} as const satisfies Record<
  string,
  (stage: Stage, contenders: Contenders, effort: Effort, failed: Failed) => Promise<unknown>
>;
type Name = keyof typeof MEASURES;
const NAMES = Object.keys(MEASURES) as Name[];

/** A contender that fails has no row, and the others keep theirs. */
function oneByOne<Row>(name: string, measureOne: (stage: Stage, contender: Contender, effort: Effort) => Promise<Row>) {
  return async (stage: Stage, contenders: Contenders, effort: Effort, failed: Failed): Promise<Row[]> => {
    const rows: Row[] = [];
    for (const contender of Object.values(contenders).filter(({ name: of }) => !NO_SERVICE.includes(of))) {
      try {
        rows.push(await measureOne(stage, contender, effort));
      } catch (error) {
        failed(`${name} of ${contender.name}`, error);
      }
    }
    return rows;
  };
}

/** The first hundreds of turns cost twice, until the code is compiled and the pools are filled. */
const WARM_UP = { turns: 400, atOnce: 16 };
/** V8 collects and gives memory back some 8 s after the last work. */
const QUIET_MS = 15_000;

const OPTIONS = {
  only: { type: 'string' },
  quick: { type: 'boolean' },
  door: { type: 'boolean' },
  layout: { type: 'string' },
  temporal: { type: 'string' },
  pids: { type: 'string' },
  profile: { type: 'string' },
  'node-flags': { type: 'string' },
  json: { type: 'boolean' },
  gateway: { type: 'string', multiple: true },
  key: { type: 'string' },
  model: { type: 'string' },
  'model-port': { type: 'string' },
  help: { type: 'boolean' },
} as const;

async function main(stopping: AbortSignal): Promise<void> {
  const { values } = parseArgs({ options: OPTIONS });
  if (values.help === true) return void process.stdout.write(`${HELP}\n`);
  const names = namesOf(values.only ?? (values.door === true ? 'latency,throughput,stream' : undefined));
  const options = stageOptionsOf(values);
  if (process.platform !== 'linux') throw new SetupError('The bench reads CPU times from /proc: run it on Linux.');
  const stage = await openStage(stopping, options);
  try {
    const report = await unlessStopped(stopping, measure(stage, names, values.quick === true));
    if (report.failures !== undefined) process.exitCode = 1;
    process.stdout.write(
      `${values.json === true ? JSON.stringify({ ...report, targets: judge(report) }, null, 2) : textOf(report)}\n`,
    );
  } finally {
    closeConnections();
    await stage.close();
  }
}

async function measure(stage: Stage, names: readonly Name[], quick: boolean): Promise<Report> {
  const effort = quick ? EFFORTS.quick : EFFORTS.whole;
  const startedMegabytes = await quietMegabytes(stage);
  say('warming up');
  for (const contender of Object.values(stage.contenders))
    await runBlock(stage, contender, { answer: ANSWERS.atOnce, ...WARM_UP });
  let report: Report = {
    machine: MACHINE,
    memory: { startedMegabytes, idleMegabytes: await quietMegabytes(stage) },
  };
  // What was measured before is kept. The connections are closed, so that streams under way do not disturb what
  // follows.
  const failed = (what: string, error: unknown) => {
    closeConnections();
    report = {
      ...report,
      failures: { ...report.failures, [what]: error instanceof Error ? error.message : String(error) },
    };
  };
  for (const name of names) {
    say(`measuring: ${name}`);
    try {
      const rows = await MEASURES[name](stage, stage.contenders, effort, failed);
      report = { ...report, [name]: rows };
    } catch (error) {
      failed(name, error);
    }
  }
  return report;
}

/** Memory of the largest app process, when nothing has been asked for a while. */
async function quietMegabytes({ apps, processes }: Stage): Promise<number> {
  await sleep(QUIET_MS);
  return Math.max(...apps.map((name) => residentMegabytes(processes.get(name) ?? 0)));
}

function namesOf(only: string | undefined): readonly Name[] {
  const wanted = only?.split(',') ?? NAMES;
  const unknown = wanted.find((name) => !NAMES.includes(name as Name));
  if (unknown !== undefined) throw new SetupError(`--only: there is no ${unknown}; there are ${NAMES.join(', ')}`);
  return NAMES.filter((name) => wanted.includes(name));
}

type Values = ReturnType<typeof parseArgs<{ options: typeof OPTIONS }>>['values'];

function stageOptionsOf({
  layout = 'one',
  gateway = [],
  key = 'bench',
  model = MODEL,
  temporal,
  pids = '',
  profile,
  ...values
}: Values): StageOptions {
  if (!Object.hasOwn(LAYOUTS, layout))
    throw new SetupError(`--layout: there is no ${layout}; there are ${Object.keys(LAYOUTS).join(', ')}`);
  const port = values['model-port'] ?? (gateway.length === 0 ? undefined : '4010');
  return {
    layout: layout as Layout,
    temporal,
    door: values.door,
    nodeFlags: values['node-flags']?.split(','),
    profileDir: profile === undefined ? undefined : resolve(profile),
    gateways: gateway.map((given, i) => {
      const [, name, url = ''] = /^(\w[\w.-]*)=(.+?)\/*$/.exec(given) ?? [];
      if (name === undefined || !URL.canParse(url))
        throw new SetupError(`--gateway: NAME=URL, such as litellm=http://127.0.0.1:4000/v1, not ${given}`);
      if (OURS.includes(name)) throw new SetupError(`--gateway: ${name} is a name of the bench's own; choose another`);
      if (gateway.slice(0, i).some((other) => other.startsWith(`${name}=`)))
        throw new SetupError(`--gateway: two are called ${name}`);
      return { name, url, key, model };
    }),
    modelPort: port === undefined ? undefined : wholeNumber('--model-port', port, { least: 1, most: 65_535 }),
    pids: new Map(
      pids
        .split(',')
        .filter((pair) => pair !== '')
        .map((pair) => {
          const [name = '', pid = ''] = pair.split('=');
          return [name, wholeNumber('--pids', pid, { least: 1, most: 2 ** 31 })];
        }),
    ),
  };
}

await runBench(main);
