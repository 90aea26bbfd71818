import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { turnKey } from '../../platform/streams/redis-stream.ts';
import { openRedisProcess, type RedisProcess } from './redis-process.ts';
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

let server: RedisProcess;
let stage: Stage;
/** The stage of another process. */
let other: Stage;
/** Stages and servers that a test opens in addition; closed after it. */
const opened: { close(): Promise<void> }[] = [];

beforeEach(async () => {
  server = await openRedisProcess();
  [stage, other] = await Promise.all([openStage(server.url), openStage(server.url)]);
});
afterEach(async () => {
  await Promise.all([stage, other, ...opened.splice(0)].map((one) => one.close()));
  await server.close();
});

/** A stage whose Redis does not run yet. */
async function openStageWithoutRedis(): Promise<{ late: RedisProcess; alone: Stage }> {
  const late = await openRedisProcess(false);
  const alone = await openStage(late.url);
  opened.push(alone, late);
  return { late, alone };
}

const bothAreBack = () => until(() => stage.redis.isReady() && other.redis.isReady(), 'the connections to be back');

describe('Redis is emptied in the middle of an answer', () => {
  test('the next text brings all of it back, to those who were there and those who come', async () => {
    const turn = new TestTurn();
    const early = follow(other, turn);
    const writer = openWriter(stage, turn);
    await writeEntries(writer, ['a', 'b']);
    await until(() => early.text === 'ab', 'the text before');
    await server.command('FLUSHALL');
    await writeEntries(writer, ['c', 'd']);
    await until(() => early.text === 'abcd', 'the text after');
    const late = follow(other, turn);
    await until(() => late.text === 'abcd', 'the text, later');
    await complete(stage, turn, writer);
    await Promise.all([early.done, late.done]);
    expect(late.text).toBe('abcd');
  });

  test('a reader who comes between the loss and the next text loses nothing', async () => {
    const turn = new TestTurn();
    const writer = openWriter(stage, turn);
    await writeEntries(writer, ['a', 'b']);
    await until(async () => (await stage.redis.commands.xLen(turnKey(turn.id))) === 2, 'the entries');
    await server.command('FLUSHALL');
    const between = follow(other, turn, { from: '1-1', text: 'a' });
    await until(() => restarts(between.events).length === 1, 'the word that its text is worth nothing');
    await writeEntries(writer, ['c']);
    await until(() => between.text === 'abc', 'the text');
    await complete(stage, turn, writer);
    await between.done;
    expect(between.text).toBe('abc');
  });

  test('after the last text, the answer comes from PostgreSQL', async () => {
    const turn = new TestTurn();
    const writer = openWriter(stage, turn);
    await writeEntries(writer, ['a', 'b']);
    await server.command('FLUSHALL');
    const late = follow(other, turn);
    await complete(stage, turn, writer);
    await late.done;
    expect(late.text).toBe('ab');
  });
});

describe('Redis is killed in the middle of an answer', () => {
  test('and comes back empty: reader and writer go on where it is', async () => {
    const turn = new TestTurn();
    const reader = follow(other, turn);
    const writer = openWriter(stage, turn);
    await writeEntries(writer, ['a', 'b']);
    await until(() => reader.text === 'ab', 'the text before');
    await server.kill();
    for (const piece of ['c', 'd', 'e']) writer.delta(piece);
    await server.start();
    await until(() => reader.text === 'abcde', 'the text written without Redis');
    await writeEntries(writer, ['f']);
    await until(() => reader.text === 'abcdef', 'the text after');
    await complete(stage, turn, writer);
    await reader.done;
    expect(brief(reader.events).at(-1)).toMatch(/ completed$/);
  });

  test('and stays away: the writer is not held up, and the answer arrives whole by polling', async () => {
    const turn = new TestTurn();
    const reader = follow(other, turn);
    const writer = openWriter(stage, turn);
    await writeEntries(writer, ['a', 'b']);
    await until(() => reader.text === 'ab', 'the text before');
    await server.kill();
    writer.delta('c');
    const begun = Date.now();
    expect(await complete(stage, turn, writer)).toBe('abc');
    expect(Date.now() - begun).toBeLessThan(1_000);
    await reader.done;
    expect(reader.text).toBe('abc');
    expect(restarts(reader.events)).toEqual(['resync']);
  });

  test('between two attempts: the second one still drops the text of the first', async () => {
    const turn = new TestTurn();
    const reader = follow(other, turn);
    await writeEntries(openWriter(stage, turn), ['lost']);
    await until(() => reader.text === 'lost', 'the first text');
    await server.kill();
    const second = openWriter(stage, turn);
    second.delta('kept');
    await server.start();
    await until(() => reader.text === 'kept', 'the second text');
    await complete(stage, turn, second);
    await reader.done;
    expect(reader.text).toBe('kept');
  });

  test('and a copy takes its place that lagged behind: what it lacks is written again', async () => {
    const turn = new TestTurn();
    const early = follow(other, turn);
    const writer = openWriter(stage, turn);
    await writeEntries(writer, ['a', 'b', 'c']);
    await until(() => early.text === 'abc', 'the text before');
    await server.command('XDEL', turnKey(turn.id), '1-3');
    await server.command('CLIENT', 'KILL', 'TYPE', 'normal');
    await until(() => stage.redis.isReady(), 'the connection to be back');
    await writeEntries(writer, ['d']);
    await until(() => early.text === 'abcd', 'the text');
    const late = follow(other, turn);
    await until(() => late.text === 'abcd', 'the text for one who comes now');
    await complete(stage, turn, writer);
    await Promise.all([early.done, late.done]);
  });

  test('several times', async () => {
    const turn = new TestTurn();
    const reader = follow(other, turn);
    const writer = openWriter(stage, turn);
    let text = '';
    for (const round of ['1', '2', '3']) {
      writer.delta(`${round}a `);
      await server.kill();
      writer.delta(`${round}b `);
      await server.start();
      text += `${round}a ${round}b `;
      const whole = text;
      await until(() => reader.text === whole, `the text of round ${round}`);
    }
    await complete(stage, turn, writer);
    await reader.done;
    expect(reader.text).toBe(text);
  });

  test('a reader of a stream that was published but not kept is not left with a hole', async () => {
    const turn = new TestTurn();
    const reader = follow(other, turn);
    const writer = openWriter(stage, turn);
    await writeEntries(writer, ['a', 'b', 'c']);
    await until(() => reader.text === 'abc', 'the text');
    const { lastId, text } = reader;
    await reader.leave();
    await server.kill();
    await server.start();
    await bothAreBack();
    const back = follow(other, turn, { from: lastId, text });
    await until(() => back.events.length > 0, 'the word that its text is worth nothing');
    writer.delta('d');
    await until(() => back.text === 'abcd', 'the text');
    await complete(stage, turn, writer);
    await back.done;
  });
});

describe('Redis is absent from the start', () => {
  test('readers of the writer’s process get each piece, others the whole by polling PostgreSQL, and nothing waits long', async () => {
    const { late, alone } = await openStageWithoutRedis();
    const apart = await openStage(late.url);
    opened.push(apart);
    const turn = new TestTurn();
    const [here, elsewhere] = [follow(alone, turn), follow(apart, turn)];
    const writer = openWriter(alone, turn);
    writer.delta('an ');
    writer.delta('answer');
    await until(() => here.text === 'an answer', 'the pieces');
    const reads = turn.reads;
    await until(() => turn.reads > reads + 2, 'PostgreSQL to be asked again');
    expect(brief(elsewhere.events)).toEqual(['0-1 accepted']);
    await complete(alone, turn, writer);
    const ended = Date.now();
    await Promise.all([here.done, elsewhere.done]);
    expect(Date.now() - ended).toBeLessThan(1_500);
    expect(brief(here.events)).toEqual(['0-1 accepted', '1-1 an ', '1-2 answer', '1-3 completed']);
    expect(brief(elsewhere.events)).toEqual(['0-1 accepted', '1-2 an answer', '1-3 completed']);

    const again = follow(apart, turn, { from: '1-2', text: 'an answer' });
    await again.done;
    expect(brief(again.events)).toEqual(['1-3 completed']);
  });

  test('and appears: what was held back arrives, and so does the rest', async () => {
    const { late, alone } = await openStageWithoutRedis();
    const turn = new TestTurn();
    const reader = follow(alone, turn);
    const writer = openWriter(alone, turn);
    writer.delta('before ');
    await late.start();
    await until(() => reader.text === 'before ', 'the text that waited');
    await writeEntries(writer, ['after']);
    await until(() => reader.text === 'before after', 'the text');
    await complete(alone, turn, writer);
    await reader.done;
    expect(reader.text).toBe('before after');
  });
});

describe('Redis accepts and does not answer', () => {
  test('text waits, and comes when it answers again, once', async () => {
    const turn = new TestTurn();
    const reader = follow(other, turn);
    const writer = openWriter(stage, turn);
    await writeEntries(writer, ['a', 'b']);
    await until(() => reader.text === 'ab', 'the text before');
    await server.command('CLIENT', 'PAUSE', '1200', 'ALL');
    for (const piece of ['c', 'd', 'e']) writer.delta(piece);
    await until(() => !stage.redis.isReady(), 'an overdue answer');
    writer.delta('f');
    await until(() => reader.text === 'abcdef', 'the text');
    await complete(stage, turn, writer);
    await reader.done;
    expect(reader.text).toBe('abcdef');
    expect(restarts(reader.events)).toEqual([]);
  });

  test('the end of an answer waits half a second at most, and the reader gets it from PostgreSQL', async () => {
    const turn = new TestTurn();
    const reader = follow(other, turn, { pollMs: 200 });
    const writer = openWriter(stage, turn);
    await writeEntries(writer, ['a']);
    await until(() => reader.text === 'a', 'the text before');
    await server.command('CLIENT', 'PAUSE', '4000', 'ALL');
    writer.delta('b');
    const begun = Date.now();
    await complete(stage, turn, writer);
    expect(Date.now() - begun).toBeLessThan(900);
    await reader.done;
    expect(Date.now() - begun).toBeLessThan(3_500);
    expect(reader.text).toBe('ab');
  });

  test('a reader who comes meanwhile gets what there is when it answers again', async () => {
    const turn = new TestTurn();
    const writer = openWriter(stage, turn);
    await writeEntries(writer, ['a', 'b']);
    await server.command('CLIENT', 'PAUSE', '1500', 'ALL');
    const reader = follow(other, turn);
    await until(() => reader.text === 'ab', 'the text');
    await complete(stage, turn, writer);
    await reader.done;
    expect(restarts(reader.events)).toEqual([]);
  });
});

test('a lost word costs time, not the ending', async () => {
  const turn = new TestTurn();
  const reader = follow(other, turn, { pollMs: 100 });
  const writer = openWriter(stage, turn);
  await writeEntries(writer, ['a']);
  turn.end('completed', 'a', await writer.end());
  await reader.done;
  expect(reader.text).toBe('a');
});

test('what PostgreSQL fails to answer once is asked again', async () => {
  const turn = new TestTurn();
  let failures = 0;
  const read = turn.read;
  const flaky = Object.assign(turn, {
    read: () => {
      if (turn.reads === 1 && failures < 1) {
        failures += 1;
        return Promise.reject(new Error('PostgreSQL is away'));
      }
      return read();
    },
  });
  const reader = follow(other, flaky, { pollMs: 100 });
  await until(() => reader.events.length === 1, 'the first event');
  turn.end('stopped', null, null);
  stage.feed.announce(turn.id, 'changed');
  await reader.done;
  expect(failures).toBe(1);
  expect(brief(reader.events)).toEqual(['0-1 accepted', '0-2 stopped']);
});
