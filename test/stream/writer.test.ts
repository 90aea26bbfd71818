import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { encodeMessage, readEntries, turnKey } from '../../platform/streams/redis-stream.ts';
import { openTurnWriter } from '../../platform/streams/writer.ts';
import {
  brief,
  complete,
  follow,
  openStage,
  openWriter,
  restarts,
  TestTurn,
  until,
  writeEntries,
  type Stage,
} from './stage.ts';

let stage: Stage;
let other: Stage;
beforeAll(async () => {
  [stage, other] = await Promise.all([openStage(), openStage()]);
});
afterAll(async () => {
  await Promise.all([stage.close(), other.close()]);
});

const streamOf = async (turn: TestTurn) =>
  (await readEntries(stage.redis, turn.id, { attempt: 0, entry: 0 }, 100))
    .map(encodeMessage)
    .map((message) => message.replace(/^(\S+) (\S+) /, '$2 $1 '));
const ttlOf = (turn: TestTurn) => stage.redis.commands.ttl(turnKey(turn.id));

describe('a stream at its bound of entries', () => {
  test('is written anew as one entry, and what was before it is trimmed', async () => {
    const turn = new TestTurn();
    const writer = openWriter(stage, turn, { maxEntries: 3 });
    await writeEntries(writer, ['a', 'b', 'c']);
    await until(async () => (await streamOf(turn)).length === 3, 'three entries');
    await writeEntries(writer, ['d', 'e']);
    await until(async () => (await streamOf(turn)).length === 3, 'the resync and what follows');
    expect(await streamOf(turn)).toEqual(['1-4 restarted resync', '1-5 delta abcd', '1-6 delta e']);
    await complete(stage, turn, writer);
  });

  test('gives a reader who was there the same text as one who joins after', async () => {
    const turn = new TestTurn();
    const early = follow(other, turn);
    const writer = openWriter(stage, turn, { maxEntries: 3 });
    await writeEntries(writer, ['a', 'b', 'c', 'd', 'e']);
    await until(() => early.text === 'abcde', 'the text');
    const late = follow(other, turn);
    await until(() => late.text === 'abcde', 'the text, later');
    await complete(stage, turn, writer);
    await Promise.all([early.done, late.done]);
    expect(restarts(early.events)).toEqual(['resync']);
    // The attempt had no text to drop.
    expect(brief(late.events)).toEqual(['0-1 accepted', '1-4 restarted resync', '1-5 abcd', '1-6 e', '1-7 completed']);
  });

  test('never holds more entries than its bound and the one batch above it', async () => {
    const turn = new TestTurn();
    const writer = openWriter(stage, turn, { maxEntries: 4 });
    for (let index = 0; index < 20; index += 1) {
      await writeEntries(writer, [`${index} `]);
      expect(await stage.redis.commands.xLen(turnKey(turn.id))).toBeLessThanOrEqual(5);
    }
    expect(await complete(stage, turn, writer)).toHaveLength(50);
  });
});

test('an answer longer than its bound of bytes leaves Redis and arrives whole', async () => {
  const turn = new TestTurn();
  const reader = follow(other, turn);
  const writer = openWriter(stage, turn, { maxBytes: 30 });
  await writeEntries(writer, ['가나다라마', '바사아자']);
  await until(() => reader.text === '가나다라마바사아자', 'the part within the bound');
  writer.delta('차카');
  writer.delta('타파하');
  const answer = await complete(stage, turn, writer);
  await reader.done;
  expect(writer.entries).toBe(2);
  expect(reader.text).toBe(answer);
  expect(brief(reader.events).slice(-3)).toEqual([
    '1-0 restarted resync',
    '1-3 가나다라마바사아자차카타파하',
    '1-4 completed',
  ]);
});

describe('the age of a stream', () => {
  test('is set with its first entry, whatever attempt writes it', async () => {
    const turn = new TestTurn();
    for (const attempt of [1, 2, 3]) {
      await writeEntries(openWriter(stage, turn), [`attempt ${attempt}`]);
      await until(async () => (await streamOf(turn)).some((entry) => entry.startsWith(`${attempt}-`)), 'the entry');
      expect(await ttlOf(turn)).toBeGreaterThan(3_590);
    }
  });

  test('is renewed while it is written, and shortened by its end', async () => {
    const turn = new TestTurn();
    const writer = openWriter(stage, turn, { ageSeconds: 2, endedAgeSeconds: 100 });
    await writeEntries(writer, ['a']);
    const pttl = () => stage.redis.commands.pTTL(turnKey(turn.id));
    await until(async () => (await pttl()) > 0, 'the stream');
    await until(async () => (await pttl()) < 1_450, 'a quarter of its life to pass');
    await writeEntries(writer, ['b']);
    await until(async () => (await pttl()) > 1_600, 'its renewal');
    await complete(stage, turn, writer);
    await until(async () => (await ttlOf(turn)) > 90, 'the age of an ended stream');
  });

  test('is set again when the stream vanished in between', async () => {
    const turn = new TestTurn();
    const reader = follow(other, turn);
    const writer = openWriter(stage, turn);
    await writeEntries(writer, ['a', 'b']);
    await stage.redis.commands.del(turnKey(turn.id));
    await writeEntries(writer, ['c']);
    await until(() => reader.text === 'abc', 'the text');
    await until(async () => (await streamOf(turn)).length > 0, 'the stream');
    expect(await ttlOf(turn)).toBeGreaterThan(3_590);
    expect((await streamOf(turn)).at(-1)).toMatch(/ delta abc$/);
    await complete(stage, turn, writer);
    await reader.done;
    expect(reader.text).toBe('abc');
  });
});

describe('a writer whose attempt is not the newest any more', () => {
  test('is told, and its text reaches nobody', async () => {
    const turn = new TestTurn();
    const reader = follow(other, turn);
    const old = openWriter(stage, turn);
    await writeEntries(old, ['old ']);
    await until(() => reader.text === 'old ', 'the old text');
    const newer = openWriter(other, turn);
    await writeEntries(newer, ['new ']);
    await until(() => reader.text === 'new ', 'the new text');
    for (let piece = 0; !old.fenced.aborted && piece < 100; piece += 1) {
      old.delta('more old ');
      await until(() => old.fenced.aborted || old.entries > piece + 1, 'a refusal');
    }
    await until(() => old.fenced.aborted, 'the fence');
    old.delta('and more');
    await old.end();
    await writeEntries(newer, ['text']);
    await complete(stage, turn, newer);
    await reader.done;
    expect(reader.text).toBe('new text');
    expect((await streamOf(turn)).filter((entry) => entry.startsWith('1-'))).toEqual([]);
    // The old writer's end does not shorten the life of a stream that is another's; the new writer's does.
    expect(await ttlOf(turn)).toBeGreaterThan(590);
  });

  test('its end leaves the newer stream its age', async () => {
    const turn = new TestTurn();
    const old = openWriter(stage, turn);
    await writeEntries(old, ['old']);
    const newer = openWriter(other, turn);
    await writeEntries(newer, ['new']);
    await until(async () => (await streamOf(turn)).some((entry) => entry.startsWith('2-')), 'the newer entry');
    old.delta('x');
    await old.end();
    expect(old.fenced.aborted).toBe(true);
    expect(await ttlOf(turn)).toBeGreaterThan(3_590);
    await newer.end();
  });

  test('a writer that is alone is not fenced', async () => {
    const turn = new TestTurn();
    const writer = openWriter(stage, turn);
    await writeEntries(writer, ['a', 'b']);
    await writer.end();
    expect(writer.fenced.aborted).toBe(false);
  });
});

describe('a surrogate pair', () => {
  test('that comes in two deltas leaves in one', async () => {
    const turn = new TestTurn();
    const reader = follow(other, turn);
    const writer = openWriter(stage, turn);
    const text = '하나 👩‍👩‍👧‍👦 둘 𝒳 셋 😀';
    for (const unit of text.split('')) {
      writer.delta(unit);
      await until(() => writer.entries > 0, 'the first entry');
      await new Promise((resolve) => setTimeout(resolve, 3));
    }
    await until(() => reader.text === text, 'the text');
    await complete(stage, turn, writer);
    await reader.done;
    expect(reader.events.length).toBeGreaterThan(4);
    for (const event of reader.events) if (event.type === 'delta') expect(event.data.text.isWellFormed()).toBe(true);
    expect(reader.text).toBe(text);
  });

  test('of which only half comes goes out with the end, and no sooner', async () => {
    const turn = new TestTurn();
    const writer = openWriter(stage, turn);
    writer.delta('\ud83d');
    // Two entries of another writer show that the pulse has passed for this one too.
    const neighbour = openWriter(stage, new TestTurn());
    await writeEntries(neighbour, ['a', 'b', 'c']);
    await neighbour.end();
    expect(writer.entries).toBe(0);
    expect(await writer.end()).toBe(1);
    expect(writer.text).toBe('\ud83d');
  });
});

test('the number that end gives is the number of the last entry', async () => {
  const turn = new TestTurn();
  const writer = openWriter(stage, turn);
  await writeEntries(writer, ['a', 'b', 'c']);
  writer.delta('d');
  expect(await writer.end()).toBe(4);
  expect((await streamOf(turn)).at(-1)).toBe('1-4 delta d');
  expect(await writer.end()).toBe(4);
  expect(() => {
    writer.delta('e');
  }).toThrow('after the end');
});

test('a large piece does not wait for the pulse', async () => {
  const turn = new TestTurn();
  const writer = openTurnWriter(stage.redis, { turnId: turn.id, attempt: 1, restarted: null });
  await writeEntries(writer, ['a']);
  writer.delta('x'.repeat(9_000));
  await until(() => writer.entries === 2, 'the entry');
  expect(await writer.end()).toBe(2);
});
