import { afterEach, beforeEach, expect, test } from '@jest/globals';
import type { TurnRecord } from '../../domain/turn.ts';
import { turnKey } from '../../platform/streams/redis-stream.ts';
import { openRedisProcess, type RedisProcess } from './redis-process.ts';
import { brief, complete, follow, openStage, openWriter, TestTurn, until, writeEntries, type Stage } from './stage.ts';

let server: RedisProcess;
let stage: Stage;
let other: Stage;

beforeEach(async () => {
  server = await openRedisProcess();
  [stage, other] = await Promise.all([openStage(server.url), openStage(server.url)]);
});
afterEach(async () => {
  await Promise.all([stage.close(), other.close()]);
  await server.close();
});

const channels = async () => (await server.command('PUBSUB', 'CHANNELS', '*')) as string[];
const subscribersOf = async (turn: TestTurn) =>
  Number(((await server.command('PUBSUB', 'NUMSUB', turnKey(turn.id))) as unknown[])[1]);

test('all readers of a turn share one subscription, and the last one takes it away', async () => {
  const turn = new TestTurn();
  const readers = [follow(stage, turn), follow(stage, turn), follow(stage, turn)];
  await until(() => readers.every(({ events }) => events.length === 1), 'the first event');
  expect(await subscribersOf(turn)).toBe(1);
  for (const [index, reader] of readers.entries()) {
    expect(await reader.leave()).toEqual({ ended: false, refused: false });
    if (index < 2) expect(await subscribersOf(turn)).toBe(1);
  }
  await until(async () => (await subscribersOf(turn)) === 0, 'no subscription');
  expect(await channels()).toEqual([]);
});

test('a reader who stays gets everything after another has left', async () => {
  const turn = new TestTurn();
  const [stays, leaves] = [follow(stage, turn), follow(stage, turn)];
  const writer = openWriter(other, turn);
  await writeEntries(writer, ['a']);
  await until(() => stays.text === 'a' && leaves.text === 'a', 'the first text');
  await leaves.leave();
  await writeEntries(writer, ['b']);
  await complete(other, turn, writer);
  await stays.done;
  expect(stays.text).toBe('ab');
  expect(leaves.text).toBe('a');
});

test('the last reader leaves and the next one comes at once: nothing is missed', async () => {
  const turn = new TestTurn();
  const writer = openWriter(other, turn);
  for (let round = 0; round < 10; round += 1) {
    await follow(stage, turn).leave();
    const next = follow(stage, turn);
    writer.delta(`${round}`);
    await until(() => next.text.endsWith(`${round}`), 'the text by subscription or stream');
    void next.leave();
  }
  await complete(other, turn, writer);
  await until(async () => (await channels()).length === 0, 'no subscription');
});

test('no subscription is left after endings, failures and a refusal', async () => {
  const [answered, refused, broken] = [new TestTurn(), new TestTurn(), new TestTurn()];
  const reader = follow(stage, answered);
  await complete(other, answered, openWriter(other, answered));
  await reader.done;
  refused.refuse();
  await follow(stage, refused).done;
  const failing = Object.assign(broken, { read: () => Promise.reject(new Error('PostgreSQL is away')) });
  await expect(follow(stage, failing).done).rejects.toThrow('PostgreSQL is away');
  const refusing = follow(stage, new TestTurn(), {
    onEvent: () => {
      throw new Error('the socket is closed');
    },
  });
  await expect(refusing.done).rejects.toThrow('the socket is closed');
  await until(async () => (await channels()).length === 0, 'no subscription');
});

test('a subscription that was given up during an outage does not come back with the connection', async () => {
  const turn = new TestTurn();
  const stays = new TestTurn();
  const [goes, keeps] = [follow(stage, turn), follow(stage, stays)];
  await until(() => goes.events.length === 1 && keeps.events.length === 1, 'the first events');
  await server.kill();
  await until(() => !stage.redis.isReady(), 'the outage to be noticed');
  await goes.leave();
  await server.start();
  await until(async () => (await subscribersOf(stays)) === 1, 'the subscription that is still wanted');
  await until(async () => (await subscribersOf(turn)) === 0, 'the other one to be gone');
  expect(await channels()).toEqual([turnKey(stays.id)]);
  await keeps.leave();
});

test('a reader who comes during an outage is subscribed when it is over', async () => {
  await server.kill();
  await until(() => !stage.redis.isReady(), 'the outage to be noticed');
  const turn = new TestTurn();
  const reader = follow(stage, turn);
  await until(() => reader.events.length === 1, 'the first event');
  await server.start();
  await until(async () => (await subscribersOf(turn)) === 1, 'the subscription');
  await until(() => other.redis.isReady(), "the writer's connection");
  const writer = openWriter(other, turn);
  await writeEntries(writer, ['a']);
  await until(() => reader.text === 'a', 'the text');
  await complete(other, turn, writer);
  await reader.done;
});

test('closing the feed takes every subscription away', async () => {
  const readers = [new TestTurn(), new TestTurn()].map((turn) => follow(stage, turn));
  await until(async () => (await channels()).length === 2, 'the subscriptions');
  stage.feed.close();
  await until(async () => (await channels()).length === 0, 'no subscription');
  await Promise.all(readers.map((reader) => reader.leave()));
});

test('words reach whoever watches the turn, here and elsewhere, and nobody else', async () => {
  const [turn, neighbour] = [new TestTurn(), new TestTurn()];
  const words: string[] = [];
  const watch = (at: Stage, whom: TestTurn, name: string) =>
    at.feed.watch(whom.id, {
      onChanged: () => {
        words.push(`${name} changed`);
      },
      onStop: () => {
        words.push(`${name} stop`);
      },
    });
  const watches = [watch(stage, turn, 'here'), watch(other, turn, 'elsewhere'), watch(other, neighbour, 'neighbour')];
  expect(await Promise.all(watches.map(({ ready }) => ready))).toEqual([true, true, true]);
  stage.feed.announce(turn.id, 'stop');
  stage.feed.announce(turn.id, 'changed');
  await until(() => words.length === 4, 'both words, twice');
  expect([...words].sort()).toEqual(['elsewhere changed', 'elsewhere stop', 'here changed', 'here stop']);
  // Each message comes once: an echo of the first ones would have come before this one.
  other.feed.announce(turn.id, 'changed');
  await until(() => words.length >= 6, 'the word from elsewhere');
  expect(words.slice(4).sort()).toEqual(['elsewhere changed', 'here changed']);
  for (const { close } of watches) close();
});

test('a turn that was written here is handed to whoever watches here, and only reported elsewhere', async () => {
  const turn = new TestTurn();
  const told: [where: string, turn: unknown][] = [];
  const watch = (at: Stage, where: string) =>
    at.feed.watch(turn.id, { onChanged: (written) => void told.push([where, written ?? null]) });
  const watches = [watch(stage, 'here'), watch(other, 'elsewhere')];
  await Promise.all(watches.map(({ ready }) => ready));
  const written = { turnId: turn.id, state: 'completed' } as TurnRecord;
  stage.feed.announceWritten(written);
  expect(told).toEqual([['here', written]]);
  await until(() => told.length === 2, 'the report elsewhere');
  // An echo of the first report would have come before this one.
  other.feed.announce(turn.id, 'changed');
  await until(() => told.length >= 4, 'the next report');
  expect(told.slice(1)).toEqual(
    expect.arrayContaining([
      ['here', null],
      ['elsewhere', null],
    ]),
  );
  expect(told).toHaveLength(4);
  for (const { close } of watches) close();
});

test('a message of a later version is ignored', async () => {
  const turn = new TestTurn();
  const reader = follow(stage, turn);
  const writer = openWriter(other, turn);
  await writeEntries(writer, ['a']);
  await until(() => reader.text === 'a', 'the text');
  for (const message of [
    '',
    'what',
    'delta',
    'delta 1-x text',
    'restarted 1-9 because',
    'thought 1-3 hm',
    'delta 1-',
  ]) {
    await stage.redis.commands.publish(turnKey(turn.id), message);
  }
  await writeEntries(writer, ['b']);
  await complete(other, turn, writer);
  await reader.done;
  expect(brief(reader.events)).toEqual(['0-1 accepted', '1-1 a', '1-2 b', '1-3 completed']);
});

test('a reader who has gone is let go of at once, whatever it waits for', async () => {
  const turn = new TestTurn();
  await writeEntries(openWriter(other, turn), ['a', 'b']);
  const never = new Promise<void>(() => {});
  const slow = follow(stage, turn, { onEvent: () => never });
  await until(() => slow.events.length === 1, 'the event that is never taken');
  expect(await slow.leave()).toEqual({ ended: false, refused: false });

  const asking = Object.assign(new TestTurn(), { read: () => never as never });
  const waiting = follow(stage, asking);
  expect(await waiting.leave()).toEqual({ ended: false, refused: false });

  const idle = follow(stage, new TestTurn());
  await until(() => idle.events.length === 1, 'the first event');
  const begun = performance.now();
  await idle.leave();
  expect(performance.now() - begun).toBeLessThan(100);
  expect(slow.events).toHaveLength(1);
  await until(async () => (await channels()).length === 0, 'no subscription');
});

test('a reader slower than its turn gets all of it, and holds up nobody', async () => {
  const turn = new TestTurn();
  let release = () => {};
  const released = new Promise<void>((resolve) => {
    release = resolve;
  });
  const slow = follow(stage, turn, { onEvent: () => released });
  const quick = follow(stage, turn);
  const writer = openWriter(other, turn, { maxBytes: 4_194_304 });
  const pieces = Array.from({ length: 200 }, (_, index) => `${index} `);
  for (const piece of pieces) {
    const before = writer.entries;
    // The text is large enough not to wait for the pulse, and has more entries than are kept for one reader.
    writer.delta(piece.padEnd(8_200, '.'));
    await until(() => writer.entries > before, 'the entry');
  }
  await until(() => quick.text === writer.text, 'all of it');
  expect(slow.events).toHaveLength(1);
  release();
  await until(() => slow.text === writer.text, 'all of it, later');
  await complete(other, turn, writer);
  await Promise.all([slow.done, quick.done]);
  expect(brief(slow.events)).toEqual(brief(quick.events));
});
