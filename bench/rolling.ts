import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { Client } from 'pg';
import { say } from '../scripts/services/say.ts';
import type { Service } from '../scripts/services/service.ts';
import { findWrongBooks } from './chaos/books.ts';
import { makePeople } from './chaos/stage.ts';
import { runBench, unlessStopped, wholeNumber } from './program.ts';
import { ChatReader, DoorReader, Seen } from './rolling/reader.ts';
import { openRollingStage, PROCESSES, type RollingStage } from './rolling/stage.ts';

const HELP = `npm run rolling -- [options]

Three whole processes (TURNKEEPER_ROLE=all) behind haproxy with deploy/haproxy.cfg, and people who read streams all the time. First each process in turn
is drained, stopped with SIGTERM and started again, as a rolling deploy does: no stream may be lost or begin again, and no answer may be a 5xx but
\`overloaded\`. Every fourth reads at the OpenAI door, whose streams nobody resumes: none may be cut. Then one is killed with SIGKILL: its streams go on
elsewhere, and those of the OpenAI door are cut. At the end the books are checked by SQL of their own. What breaks a rule is
printed; the exit code is then 2.

PostgreSQL, Redis, Temporal and a fake model are the command's own. Data lies below .turnkeeper/ and is deleted at the end.

  --streams N   people who read at the same time (default 200)
  --pieces N    pieces of each answer, 250 ms apart (default 40: 10 s)
  --grace N     SHUTDOWN_GRACE_SECONDS of each process (default 30)
  --json        one JSON object on standard output
  --help`;

const EVERY_MS = 250;
/** Every fourth reads at the OpenAI door, whose streams nobody resumes. */
const DOOR_EVERY = 4;
/** What haproxy may still have sent to a process that is drained. */
const DRAINED_AFTER_MS = 1_000;
const UP_WITHIN_MS = 120_000;
/** Until a killed process's turns are taken up, by the heartbeat's timeout, and a few answers have come. */
const AFTER_KILL_MS = 30_000;

interface Phase {
  readonly name: 'rolling restart' | 'one killed';
  readonly seconds: number;
  readonly streams: number;
  readonly completed: number;
  readonly resumed: number;
  readonly restarted: Readonly<Record<string, number>>;
  readonly cut: Readonly<Record<string, number>>;
  readonly refused: Readonly<Record<string, number>>;
  readonly longestSilenceSeconds: number;
  readonly findings: readonly string[];
}

async function main(stopping: AbortSignal): Promise<void> {
  const { values } = parseArgs({
    options: {
      streams: { type: 'string', default: '200' },
      pieces: { type: 'string', default: '40' },
      grace: { type: 'string', default: '30' },
      json: { type: 'boolean' },
      help: { type: 'boolean' },
    },
  });
  if (values.help === true) return void process.stdout.write(`${HELP}\n`);
  const number = (option: 'streams' | 'pieces' | 'grace') =>
    wholeNumber(`--${option}`, values[option], { least: 1, most: 10_000 });
  const [streams, pieces] = [number('streams'), number('pieces')];
  const stage = await openRollingStage(stopping, number('grace'));
  try {
    const { people } = await makePeople(stage.databaseUrl, streams, () => 1_000_000_000);
    const read = (name: Phase['name'], during: () => Promise<void>) =>
      unlessStopped(stopping, watch(stage, { name, people, pieces, during }));
    const phases = [
      await read('rolling restart', () => restartEach(stage)),
      await read('one killed', () => killOne(stage)),
    ];
    const books = await findWrong(stage);
    process.stdout.write(
      values.json === true ? `${JSON.stringify({ streams, phases, books }, null, 2)}\n` : textOf(phases, books),
    );
    if (books.length > 0 || phases.some(({ findings }) => findings.length > 0)) process.exitCode = 2;
  } finally {
    await stage.close();
  }
}

interface Watched {
  readonly name: Phase['name'];
  readonly people: readonly { readonly token: string }[];
  readonly pieces: number;
  readonly during: () => Promise<void>;
}

/** Everybody reads while something happens, and to the end of what they have begun. */
async function watch(stage: RollingStage, { name, people, pieces, during }: Watched): Promise<Phase> {
  const seen = new Seen();
  const began = Date.now();
  let isOver = false;
  const { url } = stage.balancer.service;
  const reading = people.map(({ token }, nth) => {
    const asks = { url, token, seen, answered: { pieces, everyMs: EVERY_MS } };
    const reader = nth % DOOR_EVERY === 0 ? new DoorReader(asks) : new ChatReader(asks);
    return reader.readUntil(() => isOver);
  });
  // All streams are under way first.
  await sleep(pieces * EVERY_MS);
  try {
    await during();
  } finally {
    isOver = true;
  }
  await Promise.all(reading);
  return {
    name,
    seconds: Math.round((Date.now() - began) / 1_000),
    streams: seen.streams,
    completed: seen.completed,
    resumed: seen.resumed,
    restarted: Object.fromEntries(seen.restarted),
    cut: Object.fromEntries(seen.cut),
    refused: Object.fromEntries(seen.refused),
    longestSilenceSeconds: Math.round(seen.longestSilenceMs / 100) / 10,
    findings: findingsOf(name, seen),
  };
}

function findingsOf(name: Phase['name'], { lost, restarted, cut, refused }: Seen): string[] {
  const found = lost.slice(0, 20).map((what) => `a stream is not lost: ${what}`);
  if (name === 'one killed') return found;
  const again = [...restarted].map(
    ([reason, count]) => `an answer that can finish does not begin again: ${count} ${reason}`,
  );
  const wrong = [...refused]
    .filter(([what]) => what === 'no answer' || (what.startsWith('5') && what !== '503 overloaded'))
    .map(([what, count]) => `a drained process refuses nobody: ${count} times ${what}`);
  const halves = [...cut].map(
    ([what, count]) => `an answer of the OpenAI door that can finish comes whole: ${count} ${what}`,
  );
  return [...found, ...again, ...halves, ...wrong];
}

/** As a rolling deploy does: nothing new goes there, it ends what it has, and another takes its place. */
async function restartEach({ balancer, apps }: RollingStage): Promise<void> {
  for (let nth = 1; nth <= PROCESSES; nth += 1) {
    const app = apps.get(nth);
    if (app === undefined) continue;
    say(`process ${nth}: draining`);
    await balancer.set(nth, 'drain');
    await sleep(DRAINED_AFTER_MS);
    const began = Date.now();
    await app.stop();
    say(`process ${nth}: ended ${seconds(began)} s after SIGTERM`);
    await begin(app, { balancer, apps }, nth);
  }
}

async function killOne({ balancer, apps }: RollingStage): Promise<void> {
  const app = apps.get(1);
  if (app?.pid == null) throw new Error('a process of ours runs');
  say('process 1: kill -9');
  process.kill(app.pid, 'SIGKILL');
  await app.died;
  await begin(app, { balancer, apps }, 1);
  await sleep(AFTER_KILL_MS);
}

async function begin(
  app: Service,
  { balancer, apps }: Pick<RollingStage, 'balancer' | 'apps'>,
  nth: number,
): Promise<void> {
  apps.set(nth, await app.again());
  await balancer.set(nth, 'ready');
  const deadline = Date.now() + UP_WITHIN_MS;
  while (!(await balancer.up(nth))) {
    if (Date.now() > deadline) throw new Error(`process ${nth} does not come back`);
    await sleep(200);
  }
  say(`process ${nth}: back`);
}

async function findWrong({ databaseUrl }: RollingStage): Promise<string[]> {
  const client = new Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    const deadline = Date.now() + 60_000;
    for (;;) {
      const found = await findWrongBooks(client);
      if (found.length === 0 || Date.now() > deadline) return found;
      await sleep(1_000);
    }
  } finally {
    await client.end();
  }
}

function textOf(phases: readonly Phase[], books: readonly string[]): string {
  const list = (figures: Readonly<Record<string, number>>) =>
    Object.entries(figures)
      .map(([name, count]) => `${count} ${name}`)
      .join(', ') || 'none';
  const lines = phases.flatMap(({ name, findings, ...seen }) => [
    `${name}: ${seen.completed} of ${seen.streams} streams whole in ${seen.seconds} s, ${seen.resumed} resumed, begun again: ${list(seen.restarted)}; cut at the OpenAI door: ${list(seen.cut)}; refused: ${list(seen.refused)}; the longest silence ${seen.longestSilenceSeconds} s`,
    ...findings.map((finding) => `  FOUND: ${finding}`),
  ]);
  const found = books.length === 0 ? 'the books are right' : `FOUND in the books:\n  ${books.join('\n  ')}`;
  return `${[...lines, found].join('\n')}\n`;
}

function seconds(since: number): number {
  return Math.round((Date.now() - since) / 100) / 10;
}

await runBench(main);
