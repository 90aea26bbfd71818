import { afterAll, beforeAll, expect, test } from '@jest/globals';
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

const PIECES = ['안녕', '하세요', ', ', 'the ', 'answer ', 'is ', '42', '.'];

test('a reader gets each entry as it is written, in order, then the one ending', async () => {
  const turn = new TestTurn();
  const reader = follow(stage, turn);
  const writer = openWriter(stage, turn);
  await writeEntries(writer, PIECES);
  await until(() => reader.text === PIECES.join(''), 'the text before the ending');
  await complete(stage, turn, writer);
  expect(await reader.done).toEqual({ ended: true, refused: false });
  expect(brief(reader.events)).toEqual([
    '0-1 accepted',
    ...PIECES.map((text, index) => `1-${index + 1} ${text}`),
    `1-${PIECES.length + 1} completed`,
  ]);
  expect(reader.events.at(-1)?.data).toEqual({ turn: { state: 'completed', content: PIECES.join('') } });
});

test('the first delta does not wait for more text', async () => {
  const turn = new TestTurn();
  const reader = follow(stage, turn);
  const writer = openWriter(stage, turn);
  writer.delta('1');
  writer.delta('2');
  writer.delta('3');
  await until(() => reader.text === '123', 'the text');
  expect(brief(reader.events).slice(1)).toEqual(['1-1 1', '1-2 23']);
  await complete(stage, turn, writer);
  await reader.done;
});

test('readers in one process and in another get the same', async () => {
  const turn = new TestTurn();
  const readers = [follow(stage, turn), follow(stage, turn), follow(other, turn)];
  const writer = openWriter(stage, turn);
  await writeEntries(writer, PIECES);
  await complete(stage, turn, writer);
  await Promise.all(readers.map(({ done }) => done));
  const [first, ...rest] = readers.map(({ events }) => brief(events));
  expect(first).toHaveLength(PIECES.length + 2);
  for (const events of rest) expect(events).toEqual(first);
});

test('a reader who joins in the middle gets what was written before and what is written after', async () => {
  const turn = new TestTurn();
  const writer = openWriter(stage, turn);
  await writeEntries(writer, PIECES.slice(0, 4));
  const late = follow(other, turn);
  await writeEntries(writer, PIECES.slice(4));
  await complete(stage, turn, writer);
  await late.done;
  expect(late.text).toBe(PIECES.join(''));
  expect(restarts(late.events)).toEqual([]);
});

test('a reader who joins between the last delta and the ending gets both', async () => {
  const turn = new TestTurn();
  const writer = openWriter(stage, turn);
  await writeEntries(writer, PIECES);
  const late = follow(other, turn);
  await until(() => late.text === PIECES.join(''), 'the text so far');
  await complete(stage, turn, writer);
  await late.done;
  expect(brief(late.events).at(-1)).toBe(`1-${PIECES.length + 1} completed`);
});

test('a reader who joins after the ending gets the answer in one piece', async () => {
  const turn = new TestTurn();
  const writer = openWriter(stage, turn);
  await writeEntries(writer, PIECES);
  await complete(stage, turn, writer);
  const late = follow(other, turn);
  await late.done;
  expect(brief(late.events)).toEqual([
    '0-1 accepted',
    `1-${PIECES.length} ${PIECES.join('')}`,
    `1-${PIECES.length + 1} completed`,
  ]);
});

test('a second attempt tells the reader to drop the text of the first', async () => {
  const turn = new TestTurn();
  const reader = follow(other, turn);
  await writeEntries(openWriter(stage, turn), ['lost ', 'text']);
  await until(() => reader.text === 'lost text', 'the first attempt');
  const second = openWriter(stage, turn);
  await writeEntries(second, ['kept ', 'text']);
  await complete(stage, turn, second);
  await reader.done;
  expect(brief(reader.events)).toEqual([
    '0-1 accepted',
    '1-1 lost ',
    '1-2 text',
    '2-1 restarted retry',
    '2-2 kept ',
    '2-3 text',
    '2-4 completed',
  ]);
});

test('a replay of a failed turn carries its reason and a new ending', async () => {
  const turn = new TestTurn();
  const first = follow(stage, turn);
  const lost = openWriter(stage, turn);
  await writeEntries(lost, ['half an']);
  await lost.end();
  turn.end('failed', null, null);
  await first.done;
  expect(brief(first.events).at(-1)).toBe('1-2 failed');

  turn.reopen();
  const second = follow(stage, turn, { from: first.lastId, text: first.text, pollMs: 100 });
  const writer = openWriter(stage, turn, { restarted: 'replay' });
  await writeEntries(writer, ['a whole one']);
  await complete(stage, turn, writer);
  await second.done;
  expect(second.text).toBe('a whole one');
  expect(brief(second.events).at(-1)).toBe('2-3 completed');
});

test('a turn that runs again shows nothing of the attempt that failed', async () => {
  const turn = new TestTurn();
  const lost = openWriter(stage, turn);
  await writeEntries(lost, ['half an']);
  turn.end('failed', null, await lost.end());
  turn.reopen();
  const reader = follow(other, turn);
  await until(() => reader.events.length > 0, 'the first event');
  const writer = openWriter(stage, turn, { restarted: 'replay' });
  await writeEntries(writer, ['a whole one']);
  await complete(stage, turn, writer);
  await reader.done;
  expect(brief(reader.events)).toEqual(['0-1 accepted', '2-1 restarted replay', '2-2 a whole one', '2-3 completed']);
});

test('a turn that stops before its first delta has an ending and no text', async () => {
  const turn = new TestTurn();
  const reader = follow(stage, turn);
  const writer = openWriter(stage, turn);
  const entries = await writer.end();
  turn.end('stopped', null, entries);
  const late = follow(other, turn);
  await late.done;
  expect(brief(late.events)).toEqual(['0-1 accepted', '1-1 stopped']);
  await until(() => reader.events.length === 2, 'the ending');
  expect(brief(reader.events)).toEqual(brief(late.events));
});

test('a failure before the first attempt has its ending at once', async () => {
  const turn = new TestTurn();
  turn.end('failed', null, null);
  const reader = follow(stage, turn);
  await reader.done;
  expect(brief(reader.events)).toEqual(['0-1 accepted', '0-2 failed']);
});

test('a refused turn has no events', async () => {
  const turn = new TestTurn();
  turn.refuse();
  const reader = follow(stage, turn);
  expect(await reader.done).toEqual({ ended: false, refused: true });
  expect(reader.events).toEqual([]);
});

test('an answer without text ends without a delta', async () => {
  const turn = new TestTurn();
  const writer = openWriter(stage, turn);
  await complete(stage, turn, writer);
  const reader = follow(stage, turn);
  await reader.done;
  expect(brief(reader.events)).toEqual(['0-1 accepted', '1-1 completed']);
});
