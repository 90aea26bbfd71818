import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { SetupError } from '../../domain/setup-error.ts';
import { say } from '../../scripts/services/say.ts';
import { runBench, wholeNumber } from '../program.ts';
import { fuzz, type Fault, type FuzzFigures } from './run.ts';
import { openFuzzStage, type FuzzStage } from './stage.ts';
import { growthOf, Watch } from './watch.ts';

const HELP = `npm run fuzz -- [options]

Sends what nobody should to the real program on services of its own: requests made from its OpenAPI document with odd values in every place, and
bytes that are hardly HTTP. A 5xx that is no 503 of ours, an error of another shape, no answer or a slow one, a line of the log at error level, and
memory, descriptors or connections that are not given back are faults: each is printed with its case, and the exit code is 1.

  --seconds N    how long (default 60)
  --seed N       another one, other cases (default 1)
  --first N      the number of the first case (default 0): with a fault's number, it comes first
  --at-once N    connections at once (default 8)
  --slow-ms N    a first byte that comes later is a fault (default 5000)
  --json         the figures as one JSON object on standard output
  --help`;

/** Sockets that a service keeps for later: its connections to PostgreSQL, Temporal, Redis and the model. */
const SPARE_SOCKETS = 60;
/** What a process of this size may still be growing by, after a third of the time. */
const SPARE_MEGABYTES = 96;
const CONNECTIONS = 40;
const SETTLE_MS = 10_000;

async function main(stopping: AbortSignal): Promise<void> {
  const text = { type: 'string' } as const;
  const { values } = parseArgs({
    options: {
      seconds: text,
      seed: text,
      first: text,
      'at-once': text,
      'slow-ms': text,
      json: { type: 'boolean' },
      help: { type: 'boolean' },
    },
  });
  if (values.help === true) return void process.stdout.write(`${HELP}\n`);
  const number = (name: 'seconds' | 'seed' | 'first' | 'at-once' | 'slow-ms', usual: number, least: number) =>
    wholeNumber(`--${name}`, values[name] ?? String(usual), { least, most: 2_147_483_647 });
  const options = {
    seconds: number('seconds', 60, 1),
    seed: number('seed', 1, 0),
    first: number('first', 0, 0),
    atOnce: number('at-once', 8, 1),
    slowMs: number('slow-ms', 5_000, 1),
  };
  const stage = await openFuzzStage(stopping);
  try {
    const result = await run(stage, stopping, options);
    process.stdout.write(`${JSON.stringify(result, null, values.json === true ? 0 : 2)}\n`);
    if (result.faults > 0) throw new SetupError(`${result.faults} faults with --seed ${options.seed} (see above)`);
  } finally {
    await stage.close();
  }
}

interface RunOptions {
  readonly seconds: number;
  readonly seed: number;
  readonly first: number;
  readonly atOnce: number;
  readonly slowMs: number;
}

async function run(stage: FuzzStage, stopping: AbortSignal, { seconds, ...options }: RunOptions) {
  const watch = new Watch(stage.pid, stage.url);
  const before = watch.look();
  const over = AbortSignal.any([stopping, AbortSignal.timeout(seconds * 1_000)]);
  const goOn = () => !over.aborted && !stage.ended();
  const [figures] = await Promise.all([
    fuzz({ ...options, url: stage.url, keys: stage.keys, goOn, onFault: tell }),
    watch.until(over),
  ]);
  if (stage.ended()) return resultOf(figures, ['the program has ended', ...stage.complaints], {});
  await settled(watch, before.sockets + SPARE_SOCKETS);
  const after = watch.look();
  const growth = growthOf(watch.samples.slice(0, -1));
  const connections = await stage.connections();
  const found = [
    ...stage.complaints.map((line) => `the log: ${line}`),
    ...(after.sockets > before.sockets + SPARE_SOCKETS
      ? [`sockets not given back: ${before.sockets} → ${after.sockets}`]
      : []),
    ...(connections > CONNECTIONS ? [`connections to PostgreSQL: ${connections}`] : []),
    ...(growth > SPARE_MEGABYTES ? [`memory grows: ${growth} MB from the second third to the last`] : []),
    ...(watch.slowestHealthMs > options.slowMs ? [`/health took ${watch.slowestHealthMs} ms`] : []),
  ];
  return resultOf(figures, found, {
    before,
    after,
    growth,
    connections,
    slowestHealthMs: watch.slowestHealthMs,
    seconds: watch.samples.at(-1)?.at,
  });
}

/** Connections that were cut take a moment to be noticed. */
async function settled(watch: Watch, most: number): Promise<void> {
  const deadline = performance.now() + SETTLE_MS;
  while (watch.look().sockets > most && performance.now() < deadline) await sleep(250);
}

function tell({ number, what, request, answer }: Fault): void {
  say(`case ${number}: ${what}\n  sent      ${request}\n  answered  ${JSON.stringify(answer)}`);
}

function resultOf({ faults, ...figures }: FuzzFigures, found: readonly string[], process: object) {
  for (const line of found) say(line);
  return { ...figures, ...process, faults: faults.length + found.length };
}

await runBench(main);
