import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { createParser } from 'eventsource-parser';
import { closeConnections, now } from './ask.ts';
import { runBlock, type Block } from './block.ts';
import { turnkeeper, MODEL, type Person } from './contenders.ts';
import { median, percentile, spreadOf, sum, type Spread } from './figures.ts';
import { readCpu, type CpuReading } from './processes.ts';
import { MACHINE, runBench, unlessStopped, wholeNumber } from './program.ts';
import { ANSWERS, markOf } from './question.ts';
import { openStage, type Stage } from './stage.ts';

const HELP = `npm run bench:processes -- [options]

Three whole processes (TURNKEEPER_ROLE=all) on one PostgreSQL, Redis and Temporal, all on this machine. Turns go to one, two or three of them in turn:
what a turn costs in CPU, and how many come a second; what the same processes cost while nobody asks is measured first. Who is the one, or one of the two,
changes from round to round, because code gets faster with each turn that runs through it. Then streams are read at the process that writes them, and at another one: what a reader costs who
comes through Redis. Read the ratios: the blocks are measured alternately, so other work of the machine slows all of them alike.

  --rounds N   blocks of each (default 6)
  --turns N    turns of a block (default 160)
  --streams N  streams at once (default 40), 50 chunks a second for 4 s each
  --json       one JSON object on standard output
  --help`;

const AT_ONCE = 12;
/** The last has as few turns at once as each of three processes: what it costs more, batching saves. */
const LOADS = [
  { processes: 1, atOnce: AT_ONCE },
  { processes: 2, atOnce: AT_ONCE },
  { processes: 3, atOnce: AT_ONCE },
  { processes: 1, atOnce: AT_ONCE / 3 },
] as const;
type Load = (typeof LOADS)[number];
const WARM_TURNS = 300;
/** What a load leaves behind (heartbeats, sticky queues, garbage) is over by then. */
const SETTLE_MS = 5_000;
const IDLE_MS = 20_000;
const STREAMED = { ...ANSWERS.steady, chunks: 200 };
/** A turn on three processes costs at most so much more than on one. */
const MOST_MORE = 0.1;

interface TurnsRow {
  readonly processes: number;
  readonly atOnce: number;
  readonly turnsPerSecond: Spread;
  readonly doneMs: number;
  /** CPU milliseconds a turn of everything but model and client, and of the program alone. */
  readonly cpuMs: Spread;
  /** The same without what all of it costs while nobody asks. */
  readonly busyMs: Spread;
  readonly appCpuMs: Spread;
}

interface StreamsRow {
  readonly read: 'where it is written' | 'elsewhere';
  readonly firstDeltaMs: number;
  readonly doneMs: number;
  /** CPU milliseconds of one stream of 200 chunks: the program's, and Redis's. */
  readonly appCpuMs: Spread;
  readonly redisCpuMs: Spread;
}

async function main(stopping: AbortSignal): Promise<void> {
  const text = (fallback: string) => ({ type: 'string', default: fallback }) as const;
  const { values } = parseArgs({
    options: {
      rounds: text('6'),
      turns: text('160'),
      streams: text('40'),
      json: { type: 'boolean' },
      help: { type: 'boolean' },
    },
  });
  if (values.help === true) return void process.stdout.write(`${HELP}\n`);
  const number = (option: 'rounds' | 'turns' | 'streams') =>
    wholeNumber(`--${option}`, values[option], { least: 1, most: 10_000 });
  const [rounds, turns, streams] = [number('rounds'), number('turns'), number('streams')];
  const stage = await openStage(stopping, { layout: 'three', pids: new Map() });
  try {
    const report = await unlessStopped(stopping, measure(stage, { rounds, turns, streams }));
    process.stdout.write(values.json === true ? `${JSON.stringify(report, null, 2)}\n` : textOf(report));
  } finally {
    closeConnections();
    await stage.close();
  }
}

type Report = Awaited<ReturnType<typeof measure>>;

async function measure(stage: Stage, effort: { rounds: number; turns: number; streams: number }) {
  // Code is compiled and connections are opened before anything counts, at each process alike.
  const warm = { answer: ANSWERS.short, atOnce: AT_ONCE, turns: WARM_TURNS };
  for (const url of stage.urls) await runBlock(stage, turnkeeper([url], []), warm);
  const idle = await measureIdle(stage);
  const blocks = new Map<Load, Block[]>(LOADS.map((load) => [load, []]));
  for (let round = 0; round < effort.rounds; round += 1) {
    const from = round % stage.urls.length;
    const urls = [...stage.urls.slice(from), ...stage.urls.slice(0, from)];
    for (const [load, seen] of blocks) {
      const asked = { answer: ANSWERS.short, atOnce: load.atOnce, turns: effort.turns };
      seen.push(await runBlock(stage, turnkeeper(urls.slice(0, load.processes), []), asked));
    }
  }
  const beside = [...blocks].map(([load, seen]) => turnsRow(stage, { load, blocks: seen, idle }));
  return { machine: MACHINE, idle: Object.fromEntries(idle), beside, streams: await measureStreams(stage, effort) };
}

/** CPU milliseconds a second of each process while nobody asks. */
async function measureIdle({ processes }: Stage): Promise<CpuReading> {
  await sleep(SETTLE_MS);
  const before = readCpu(processes);
  await sleep(IDLE_MS);
  return new Map(
    [...readCpu(processes)].map(([name, ms]) => [name, (ms - (before.get(name) ?? 0)) / (IDLE_MS / 1_000)]),
  );
}

function turnsRow(
  { apps }: Stage,
  { load, blocks, idle }: { load: Load; blocks: readonly Block[]; idle: CpuReading },
): TurnsRow {
  const all = [...apps, 'postgresql', 'redis', 'temporal'];
  const of = (names: readonly string[], reading: CpuReading) => sum(names.map((name) => reading.get(name) ?? 0));
  const idleOf = ({ seconds, turns }: Block) => (of(all, idle) * seconds) / turns;
  return {
    ...load,
    turnsPerSecond: spreadOf(blocks.map(({ turns, seconds }) => turns / seconds)),
    doneMs: median(blocks.map(({ doneMs }) => percentile(doneMs, 0.5))),
    cpuMs: spreadOf(blocks.map(({ cpuMs }) => of(all, cpuMs))),
    busyMs: spreadOf(blocks.map((block) => of(all, block.cpuMs) - idleOf(block))),
    appCpuMs: spreadOf(blocks.map(({ cpuMs }) => of(apps, cpuMs))),
  };
}

async function measureStreams(
  stage: Stage,
  { rounds, streams }: { rounds: number; streams: number },
): Promise<StreamsRow[]> {
  const [here = '', there = ''] = stage.urls;
  const places = { 'where it is written': here, elsewhere: there } as const;
  const rows = new Map<string, StreamBlock[]>();
  for (let round = 0; round < rounds; round += 1)
    for (const [read, url] of Object.entries(places))
      rows.set(read, [...(rows.get(read) ?? []), await streamBlock(stage, { from: here, read: url, streams })]);
  return Object.entries(places).map(([read]) => {
    const blocks = rows.get(read) ?? [];
    return {
      read: read as StreamsRow['read'],
      firstDeltaMs: median(blocks.map(({ firstDeltaMs }) => firstDeltaMs)),
      doneMs: median(blocks.map(({ doneMs }) => doneMs)),
      appCpuMs: spreadOf(blocks.map(({ appCpuMs }) => appCpuMs)),
      redisCpuMs: spreadOf(blocks.map(({ redisCpuMs }) => redisCpuMs)),
    };
  });
}

interface StreamBlock {
  readonly firstDeltaMs: number;
  readonly doneMs: number;
  readonly appCpuMs: number;
  readonly redisCpuMs: number;
}

/** All streams at once: each turn begins at one process, and is read at the same or at another. */
async function streamBlock(
  stage: Stage,
  { from, read, streams }: { from: string; read: string; streams: number },
): Promise<StreamBlock> {
  const before = readCpu(stage.processes);
  const seen = await Promise.all(stage.people.slice(0, streams).map((person) => follow(person, { from, read })));
  const after = readCpu(stage.processes);
  const cpu = (names: readonly string[]) =>
    sum(names.map((name) => (after.get(name) ?? 0) - (before.get(name) ?? 0))) / seen.length;
  return {
    firstDeltaMs: percentile(
      seen.map(({ firstDeltaMs }) => firstDeltaMs),
      0.5,
    ),
    doneMs: percentile(
      seen.map(({ doneMs }) => doneMs),
      0.5,
    ),
    appCpuMs: cpu(stage.apps),
    redisCpuMs: cpu(['redis']),
  };
}

/** @throws when the answer is not whole: a failure must not count as cheap. */
async function follow({ token }: Person, { from, read }: { from: string; read: string }) {
  const turnId = randomUUID();
  const headers = { authorization: `Bearer ${token}`, accept: 'text/event-stream' };
  const began = now();
  const sent = await fetch(`${from}/api/chat/send`, {
    method: 'POST',
    headers: { ...headers, accept: 'application/json', prefer: 'respond-async', 'content-type': 'application/json' },
    body: JSON.stringify({
      turnId,
      message: `question ${turnId} ${markOf(STREAMED)}`,
      model: MODEL,
      maxOutputTokens: STREAMED.chunks * 4,
    }),
  });
  if (sent.status !== 202) throw new Error(`a send was answered ${sent.status}: ${await sent.text()}`);
  await sent.arrayBuffer();
  let [text, firstDeltaAt, ended] = ['', null as number | null, ''];
  const parser = createParser({
    onEvent({ event, data }) {
      if (event === 'delta') {
        firstDeltaAt ??= now();
        text += (JSON.parse(data) as { text: string }).text;
      } else if (event === 'completed' || event === 'failed' || event === 'restarted') ended = event;
    },
  });
  const response = await fetch(`${read}/api/chat/turns/${turnId}/events`, { headers });
  const decoder = new TextDecoder();
  for await (const bytes of response.body ?? []) parser.feed(decoder.decode(bytes, { stream: true }));
  if (ended !== 'completed' || text !== STREAMED.text.repeat(STREAMED.chunks) || firstDeltaAt === null)
    throw new Error(`a stream ended ${ended} with ${text.length} characters`);
  return { firstDeltaMs: firstDeltaAt - began, doneMs: now() - began };
}

function textOf({ idle, beside, streams }: Report): string {
  const spread = ({ median, least, most }: Spread) => `${median.toFixed(1)} (${least.toFixed(1)}…${most.toFixed(1)})`;
  const [one] = beside;
  const [own] = streams;
  const lines = beside.map(({ processes, atOnce, turnsPerSecond, doneMs, cpuMs, busyMs, appCpuMs }) => {
    const more = one === undefined ? 0 : cpuMs.median / one.cpuMs.median - 1;
    return `${processes} ${processes === 1 ? 'process' : 'processes'}, ${atOnce} turns at once: ${spread(turnsPerSecond)} turns a second, done after ${doneMs.toFixed(0)} ms; CPU a turn ${spread(cpuMs)} ms, ${spread(busyMs)} beyond idling, of it the program ${spread(appCpuMs)}; ${percent(more)} (target ≤ ${percent(MOST_MORE)}: ${more <= MOST_MORE ? 'met' : 'missed'})`;
  });
  const read = streams.map(({ read, firstDeltaMs, doneMs, appCpuMs, redisCpuMs }) => {
    const more =
      own === undefined ? 0 : (appCpuMs.median + redisCpuMs.median) / (own.appCpuMs.median + own.redisCpuMs.median) - 1;
    return `read ${read}: first delta after ${firstDeltaMs.toFixed(0)} ms, done after ${doneMs.toFixed(0)}; CPU a stream of ${STREAMED.chunks} chunks: the program ${spread(appCpuMs)} ms, Redis ${spread(redisCpuMs)}; ${percent(more)}`;
  });
  const idling = Object.entries(idle).map(([name, ms]) => `${name} ${ms.toFixed(1)}`);
  return `${[`while nobody asks, CPU milliseconds a second: ${idling.join(', ')}`, ...lines, ...read].join('\n')}\n`;
}

function percent(share: number): string {
  return `${share < 0 ? '' : '+'}${(share * 100).toFixed(0)} %`;
}

await runBench(main);
