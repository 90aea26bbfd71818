import { afterAll, beforeAll, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { turnKey } from '../../platform/streams/redis-stream.ts';
import type { TurnWriter } from '../../platform/streams/writer.ts';
import { openRedisProcess, type RedisProcess } from './redis-process.ts';
import { complete, follow, openStage, openWriter, TestTurn, until, type Reader, type Stage } from './stage.ts';

/**
 * Random lives of a turn: text in random pieces, new attempts while the old one still writes, failures that run again,
 * readers who come, leave and resume from any event they ever had, and a Redis that loses everything. After every event
 * a reader's text must be the beginning of that attempt's text (no gap, no repeat), and in the end it must be the
 * answer.
 */
type Step =
  | { readonly do: 'write'; readonly text: string; readonly cut: number; readonly wait: boolean }
  | { readonly do: 'haunt'; readonly text: string }
  | { readonly do: 'come'; readonly here: boolean }
  | { readonly do: 'return'; readonly reader: number; readonly event: number; readonly here: boolean }
  | { readonly do: 'attempt' | 'fail' | 'flush' | 'expire' | 'restart' };

const text = fc.string({ unit: 'binary', minLength: 1, maxLength: 12 });
const quietStep: fc.Arbitrary<Step> = fc.oneof(
  { weight: 8, arbitrary: fc.record({ do: fc.constant('write' as const), text, cut: fc.nat(12), wait: fc.boolean() }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('haunt' as const), text }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('come' as const), here: fc.boolean() }) },
  {
    weight: 5,
    arbitrary: fc.record({ do: fc.constant('return' as const), reader: fc.nat(), event: fc.nat(), here: fc.boolean() }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constantFrom('attempt' as const, 'fail' as const) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constantFrom('flush' as const, 'expire' as const) }) },
);
const roughStep: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: quietStep },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('restart' as const) }) },
);

let server: RedisProcess;
let stage: Stage;
let other: Stage;
beforeAll(async () => {
  server = await openRedisProcess();
  [stage, other] = await Promise.all([openStage(server.url), openStage(server.url)]);
});
afterAll(async () => {
  await Promise.all([stage.close(), other.close()]);
  await server.close();
});

test('every reader ends with the answer, whatever Redis forgets and whoever breaks off', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(quietStep, { minLength: 3, maxLength: 30 }), fc.integer({ min: 1, max: 8 }), live),
    { numRuns: 60, interruptAfterTimeLimit: 20_000 },
  );
});

test('every reader ends with the answer, also when Redis dies', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(roughStep, { minLength: 3, maxLength: 20 }), fc.integer({ min: 1, max: 8 }), live),
    { numRuns: 15, interruptAfterTimeLimit: 20_000 },
  );
});

interface Client {
  reader: Reader;
  /** Every event it ever had, with its text at that time. */
  readonly had: { readonly id: string | null; readonly text: string }[];
}

async function live(steps: readonly Step[], maxEntries: number): Promise<void> {
  const clients: Client[] = [];
  const writers: TurnWriter[] = [];
  try {
    await play(steps, maxEntries, clients, writers);
  } finally {
    await Promise.all([
      ...clients.map(({ reader }) => reader.leave().catch(() => {})),
      ...writers.map((writer) => writer.end()),
    ]);
  }
}

/** @param writers of the attempts, the first at index 0. */
async function play(
  steps: readonly Step[],
  maxEntries: number,
  clients: Client[],
  writers: TurnWriter[],
): Promise<void> {
  const turn = new TestTurn();
  /** The attempt before, which was given up but whose worker still writes. */
  let haunting: TurnWriter | undefined;
  let restarted: 'retry' | 'replay' = 'retry';

  const writer = () => writers[turn.attempt - 1] ?? open();
  const open = () => {
    const opened = openWriter(stage, turn, { maxEntries, restarted: turn.attempt === 0 ? null : restarted });
    writers.push(opened);
    restarted = 'retry';
    return opened;
  };
  const connect = (client: Client | null, from: { id: string | null; text: string }, here: boolean): Reader => {
    const reader: Reader = follow(here ? stage : other, turn, {
      from: from.id,
      text: from.text,
      pollMs: 200,
      onEvent(event) {
        if (event.type === 'delta') {
          const whole = writers[event.data.attempt - 1]?.text ?? '';
          if (!whole.startsWith(reader.text))
            throw new Error(`${event.id}: ${JSON.stringify(reader.text)} is no beginning of ${JSON.stringify(whole)}`);
        }
        own.had.push({ id: event.id, text: reader.text });
      },
    });
    const own = client ?? { reader, had: [{ id: null, text: '' }] };
    own.reader = reader;
    if (client === null) clients.push(own);
    return reader;
  };

  for (const step of steps) {
    if (step.do === 'write') {
      const current = writer();
      const before = current.entries;
      current.delta(step.text.slice(0, step.cut));
      current.delta(step.text.slice(step.cut));
      if (step.wait && stage.redis.isReady()) await until(() => current.entries > before, 'an entry');
    } else if (step.do === 'haunt') {
      haunting?.delta(step.text);
    } else if (step.do === 'come') {
      connect(null, { id: null, text: '' }, step.here);
    } else if (step.do === 'return') {
      const client = clients[step.reader % Math.max(1, clients.length)];
      const from = client?.had[step.event % client.had.length];
      if (client === undefined || from === undefined) continue;
      await client.reader.leave();
      connect(client, from, step.here);
    } else if (step.do === 'attempt') {
      haunting = writers.at(-1);
      open();
    } else if (step.do === 'fail') {
      haunting = undefined;
      turn.end('failed', null, await writer().end());
      stage.feed.announce(turn.id, 'changed');
      for (const { reader } of clients) expect((await reader.done).ended).toBe(true);
      turn.reopen();
      for (const client of clients) connect(client, client.had.at(-1) ?? { id: null, text: '' }, true);
      restarted = 'replay';
      open();
    } else if (step.do === 'restart') {
      await server.kill();
      await server.start();
    } else {
      await stage.redis
        .ask((commands) =>
          step.do === 'flush' ? commands.flushAll() : (commands.del(turnKey(turn.id)) as Promise<unknown>),
        )
        .catch(() => {});
    }
  }

  connect(null, { id: null, text: '' }, false);
  const answer = await complete(stage, turn, writer());
  connect(null, { id: null, text: '' }, true);
  const ended = await Promise.all(clients.map(({ reader }) => reader.done));
  expect(ended.every(({ ended: isEnded }) => isEnded)).toBe(true);
  for (const { reader } of clients) {
    expect(reader.text).toBe(answer);
    expect(reader.events.at(-1)?.type).toBe('completed');
  }
}
