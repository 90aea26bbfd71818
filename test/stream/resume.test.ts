import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { ReadEvent } from '../../domain/stream-events.ts';
import { turnKey } from '../../platform/streams/redis-stream.ts';
import {
  applied,
  brief,
  complete,
  follow,
  openStage,
  openWriter,
  restarts,
  TestTurn,
  until,
  writeEntries,
  type Reader,
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

const PIECES = ['one ', 'two ', 'three ', 'four ', 'five ', 'six'];

interface Recorded {
  readonly turn: TestTurn;
  readonly events: readonly ReadEvent<unknown>[];
}

/** A reader's whole stream of an attempt that died and of one that answered. */
async function record(lost: readonly string[] | null, kept: readonly string[], isEnded: boolean): Promise<Recorded> {
  const turn = new TestTurn();
  const reader = follow(stage, turn);
  if (lost !== null) {
    await writeEntries(openWriter(stage, turn), lost);
    await until(() => reader.text === lost.join(''), 'the attempt that dies');
  }
  const writer = openWriter(stage, turn);
  await writeEntries(writer, kept);
  await until(() => reader.text === kept.join(''), 'the text');
  if (isEnded) {
    await complete(stage, turn, writer);
    await reader.done;
  } else {
    await writer.end();
    await reader.leave();
  }
  return { turn, events: reader.events };
}

/** The text of a client that has the first `count` events. */
function textAfter(events: readonly ReadEvent<unknown>[], count: number): string {
  return events.slice(0, count).reduce(applied, '');
}

describe.each([true, false])('of a stream that has ended: %s', (isEnded) => {
  test('every id of a recorded stream gives exactly the rest', async () => {
    const { turn, events } = await record(null, PIECES, isEnded);
    for (const [index, { id }] of events.entries()) {
      const rest = brief(events.slice(index + 1));
      const reader = follow(other, turn, { from: id, text: textAfter(events, index + 1) });
      if (isEnded) await reader.done;
      else await until(() => reader.events.length >= rest.length, 'the rest');
      // Only the ending is sent again for its own id. A reader without text gets the answer in one piece.
      if (index === events.length - 1 && isEnded) expect(brief(reader.events)).toEqual(brief(events.slice(-1)));
      else if (index > 0 || !isEnded) expect(brief(reader.events)).toEqual(rest);
      expect(reader.text).toBe(PIECES.join(''));
      expect(restarts(reader.events)).toEqual([]);
      await reader.leave();
    }
  });

  test('every id of the newest attempt gives exactly the rest, also of its own restarted', async () => {
    const { turn, events } = await record(['lost ', 'text '], PIECES, isEnded);
    const first = events.findIndex(({ id }) => id.startsWith('2-'));
    expect(events[first]?.type).toBe('restarted');
    for (let index = first; index < events.length; index += 1) {
      const rest = brief(events.slice(index + 1));
      const reader = follow(other, turn, { from: events[index]?.id ?? '', text: textAfter(events, index + 1) });
      if (isEnded) await reader.done;
      else await until(() => reader.events.length >= rest.length, 'the rest');
      expect(reader.text).toBe(PIECES.join(''));
      expect(restarts(reader.events)).toEqual([]);
      if (index > first && index < events.length - 1) expect(brief(reader.events)).toEqual(rest);
      await reader.leave();
    }
  });

  test('an id of an older attempt gives restarted and everything', async () => {
    const { turn, events } = await record(['lost ', 'text '], PIECES, isEnded);
    for (const [index, { id }] of events.entries()) {
      if (!id.startsWith('1-')) continue;
      const reader = follow(other, turn, { from: id, text: textAfter(events, index + 1) });
      await until(() => reader.text === PIECES.join(''), 'the text');
      expect(restarts(reader.events)).toEqual(['resync']);
      expect(reader.events[0]?.type).toBe('restarted');
      await reader.leave();
    }
  });

  test.each(['1-99', '7-1', '7-0', '999999999999999-999999999999999'])(
    'the id %s, never given out, gives restarted and everything',
    async (from) => {
      const { turn } = await record(null, PIECES, isEnded);
      const reader = follow(other, turn, { from, text: 'text of who knows what' });
      await until(() => reader.text === PIECES.join(''), 'the text');
      expect(restarts(reader.events)).toEqual(['resync']);
      await reader.leave();
    },
  );

  test('an id of a stream that is gone gives restarted and, in the end, everything', async () => {
    const { turn, events } = await record(null, PIECES, isEnded);
    await stage.redis.commands.del(turnKey(turn.id));
    const reader = follow(other, turn, { from: events[2]?.id ?? '', text: textAfter(events, 3), pollMs: 50 });
    if (!isEnded) {
      await until(() => reader.events.length > 0, 'restarted');
      turn.end('completed', PIECES.join(''), PIECES.length);
    }
    await reader.done;
    expect(brief(reader.events)).toEqual(['1-0 restarted resync', `1-6 ${PIECES.join('')}`, '1-7 completed']);
  });

  test('an id from behind a hole gives restarted and everything', async () => {
    const { turn, events } = await record(null, PIECES, isEnded);
    await stage.redis.commands.sendCommand(['XTRIM', turnKey(turn.id), 'MINID', '1-4']);
    const reader = follow(other, turn, { from: '1-2', text: textAfter(events, 3), pollMs: 50 });
    if (!isEnded) {
      await until(() => reader.events.length > 0, 'restarted');
      expect(reader.text).toBe('');
      turn.end('completed', PIECES.join(''), PIECES.length);
    }
    await reader.done;
    expect(reader.text).toBe(PIECES.join(''));
    expect(restarts(reader.events)).toEqual(['resync']);
  });
});

test('a reader told to drop its text can resume from that word', async () => {
  const { turn } = await record(null, PIECES, true);
  const reader = follow(other, turn, { from: '1-0', text: '' });
  await reader.done;
  expect(reader.text).toBe(PIECES.join(''));
  expect(restarts(reader.events)).toEqual([]);
});

test.each([
  ['completed', 'an answer', 3],
  ['completed', 'an answer', null],
  ['completed', '', 0],
  ['stopped', 'an ans', 2],
  ['stopped', null, 0],
  ['failed', null, null],
  ['failed', null, 4],
] as const)(
  'the id of the ending %s (%j, %j entries) gives the same ending alone, without its stream too',
  async (state, content, entries) => {
    const turn = new TestTurn();
    turn.openAttempt();
    turn.end(state, content, entries);
    const first = follow(stage, turn);
    await first.done;
    const again = follow(other, turn, { from: first.lastId, text: first.text });
    await again.done;
    expect(again.text).toBe(content ?? '');
    expect(again.events.at(-1)).toEqual(first.events.at(-1));
    // When nobody knows how long the stream was, the answer is sent again instead of guessing.
    if (entries !== null || content === null) expect(again.events).toHaveLength(1);
  },
);

test('an ending of before a retry is no ending of the new run', async () => {
  const turn = new TestTurn();
  const lost = openWriter(stage, turn);
  await writeEntries(lost, ['half']);
  turn.end('failed', null, await lost.end());
  const first = follow(stage, turn);
  await first.done;
  turn.reopen();
  const second = follow(other, turn, { from: first.lastId, text: first.text, pollMs: 50 });
  const writer = openWriter(stage, turn);
  await writeEntries(writer, ['whole']);
  await until(() => second.text === 'whole', 'the new text');
  await complete(stage, turn, writer);
  await second.done;
  expect(second.text).toBe('whole');
});

test('a reader who breaks off after every event ends with the answer, each event once', async () => {
  const { turn } = await record(['lost '], PIECES, false);
  let from: string | null = null;
  let text = '';
  const seen: string[] = [];
  for (let isEnded = false; !isEnded;) {
    let got = () => {};
    const one = new Promise<void>((resolve) => {
      got = resolve;
    });
    const reader: Reader = follow(other, turn, {
      from,
      text,
      onEvent: () => {
        got();
        return Promise.resolve().then(() => {
          void reader.leave();
        });
      },
    });
    await one;
    ({ ended: isEnded } = await reader.done);
    expect(reader.events).toHaveLength(1);
    ({ lastId: from, text } = reader);
    seen.push(...brief(reader.events));
    if (text === PIECES.join('')) turn.end('completed', text, PIECES.length + 1);
    isEnded = seen.at(-1)?.endsWith('completed') === true;
  }
  expect(text).toBe(PIECES.join(''));
  expect(new Set(seen).size).toBe(seen.length);
  expect(seen).toHaveLength(1 + 1 + PIECES.length + 1);
});
