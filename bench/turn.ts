import { cpus } from 'node:os';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { say, SetupError } from '../scripts/services/say.ts';
import { closeConnections } from './ask.ts';
import { runBlock } from './block.ts';
import { EFFORTS, measureLatency, measureStream, measureThroughput } from './measures.ts';
import { ANSWERS } from './question.ts';
import { textOf, type Report } from './report.ts';
import { openStage, type Stage } from './stage.ts';

const HELP = `npm run bench:turn -- [options]

What a durable turn costs. In one run and in turn, so that a busy machine meets them alike, it asks the same questions of
  turnkeeper  as \`npm start\` runs it: one process, embedded PostgreSQL that syncs to the disk, Redis, Temporal
  bare        an Express handler with the same two transactions and the same model client, without Temporal and Redis
  direct      the model itself, a fake one in a process of its own
and checks every answer. Nothing else should run meanwhile; it starts what it needs and stops it. Linux only (CPU comes from /proc).

  --only LIST   some of latency,throughput,stream
  --quick       one short round of each: a look, no figures
  --profile DIR writes CPU profiles of the app's threads there (--cpu-prof); its figures are then those of a profiled app
  --json        one JSON object on standard output instead of tables
  --help`;

const MEASURES = { latency: measureLatency, throughput: measureThroughput, stream: measureStream } as const;
type Name = keyof typeof MEASURES;
const NAMES = Object.keys(MEASURES) as Name[];

/** Until the code is compiled and the pools are filled; the first hundreds of turns cost twice. */
const WARM_UP = { turns: 400, atOnce: 16 };

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: { only: { type: 'string' }, quick: { type: 'boolean' }, profile: { type: 'string' }, json: { type: 'boolean' }, help: { type: 'boolean' } },
  });
  if (values.help === true) return void process.stdout.write(`${HELP}\n`);
  const names = namesOf(values.only);
  if (process.platform !== 'linux') throw new SetupError('The bench reads CPU times from /proc: run it on Linux.');
  const stopping = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => stopping.abort());
  const stage = await openStage(stopping.signal, { profileDir: values.profile === undefined ? undefined : resolve(values.profile) });
  try {
    const interrupted = new Promise<never>((_, reject) => stopping.signal.addEventListener('abort', () => reject(new SetupError('interrupted'))));
    const report = await Promise.race([measure(stage, names, values.quick === true), interrupted]);
    process.stdout.write(`${values.json === true ? JSON.stringify(report, null, 2) : textOf(report)}\n`);
  } finally {
    closeConnections();
    await stage.close();
  }
}

async function measure(stage: Stage, names: readonly Name[], quick: boolean): Promise<Report> {
  const effort = quick ? EFFORTS.quick : EFFORTS.whole;
  say('warming up');
  for (const contender of Object.values(stage.contenders)) await runBlock(stage, contender, { answer: ANSWERS.atOnce, ...WARM_UP });
  let report: Report = { machine: { cores: cpus().length, cpu: cpus()[0]?.model ?? 'unknown', node: process.version } };
  for (const name of names) {
    say(`measuring: ${name}`);
    report = { ...report, [name]: await MEASURES[name](stage, stage.contenders, effort) };
  }
  return report;
}

function namesOf(only: string | undefined): readonly Name[] {
  const wanted = only?.split(',') ?? NAMES;
  const unknown = wanted.find((name) => !NAMES.includes(name as Name));
  if (unknown !== undefined) throw new SetupError(`--only: there is no ${unknown}; there are ${NAMES.join(', ')}`);
  return NAMES.filter((name) => wanted.includes(name));
}

try {
  await main();
  process.exit(0);
} catch (error) {
  say(error instanceof SetupError ? error.message : String(error instanceof Error ? error.stack : error));
  process.exit(1);
}
