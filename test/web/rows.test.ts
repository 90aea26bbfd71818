import { describe, expect, test } from '@jest/globals';
import { mergeNewest, rowsOf, type Message } from '../../web/chat/transcript/rows.ts';
import { beginTurn, type LiveTurn } from '../../web/chat/turns/turn-state.ts';

const alone = { number: 1, count: 1, previousTurnId: null, nextTurnId: null };
const message = (sequence: number, role: 'user' | 'assistant', state: Message['state'] = 'completed'): Message => ({
  turnId: `t${sequence}`,
  sequence,
  parentTurnId: sequence === 1 ? null : `t${sequence - 1}`,
  branch: { ...alone, questions: alone, answers: alone },
  role,
  content: `${role} ${sequence}`,
  state,
  model: 'm',
  attempt: 1,
  createdAt: '2026-11-25T00:00:00Z',
});
/** Newest first, as the API gives them. */
const turn = (sequence: number) => [message(sequence, 'assistant'), message(sequence, 'user')];
const page = (...items: Message[][]) => ({ items: items.flat(), nextCursor: null as string | null });
/** A page before which there are others. */
const end = (...items: Message[][]) => ({ ...page(...items), nextCursor: 'older' });
const live = (turnId: string, change: Partial<LiveTurn> = {}): LiveTurn => ({
  ...beginTurn({ turnId, conversationId: 'c', question: `question of ${turnId}`, phase: 'answering' }),
  ...change,
});
const keys = (pages: Parameters<typeof rowsOf>[0], turns: LiveTurn[] = []) =>
  rowsOf(pages, turns, 'c').map(({ key }) => key);

describe('the rows of a transcript', () => {
  test('oldest first, across pages', () => {
    expect(keys([page(turn(3)), page(turn(2), turn(1))])).toEqual([
      't1:question',
      't1:answer',
      't2:question',
      't2:answer',
      't3:question',
      't3:answer',
    ]);
  });

  test('a turn just sent comes last, and keeps its rows when it is stored', () => {
    const sent = keys([page(turn(1))], [live('t2')]);
    expect(sent).toEqual(['t1:question', 't1:answer', 't2:question', 't2:answer']);
    expect(keys([page([message(2, 'user', 'running')], turn(1))], [live('t2')])).toEqual(sent);
    expect(keys([page(turn(2), turn(1))], [live('t2')])).toEqual(sent);
  });

  test('a failed turn that runs again is answered in its place', () => {
    const pages = [page(turn(2), [message(1, 'user', 'failed')])];
    expect(keys(pages)).toEqual(['t1:question', 't2:question', 't2:answer']);
    expect(keys(pages, [live('t1', { question: null })])).toEqual([
      't1:question',
      't1:answer',
      't2:question',
      't2:answer',
    ]);
  });

  test('turns of other conversations are not here', () => {
    expect(keys([page(turn(1))], [live('t9', { conversationId: 'other' })])).toEqual(['t1:question', 't1:answer']);
  });

  test('a question asked anew takes the place of the one that it was, and of all that followed, on its own branch', () => {
    const stored = [page(turn(3), turn(2), turn(1))];
    const anew = live('t4', { instead: { turnId: 't2', parentTurnId: 't1', edited: false }, branch: 't3' });
    const shown = (branch: string | null) => rowsOf(stored, [anew], 'c', branch).map(({ key }) => key);
    const first = ['t1:question', 't1:answer'];
    for (const branch of ['t3', 't4']) expect(shown(branch)).toEqual([...first, 't4:question', 't4:answer']);
    expect(shown('t1')).toEqual([...first, 't2:question', 't2:answer', 't3:question', 't3:answer']);
  });

  test('an answer knows its question, which may be on a page that is not read yet', () => {
    const questions = (pages: Parameters<typeof rowsOf>[0]) =>
      rowsOf(pages, [], 'c').flatMap((row) => (row.kind === 'answer' ? [row.question] : []));
    expect(questions([page(turn(1))])).toEqual(['user 1']);
    expect(questions([page(turn(2), [message(1, 'assistant')])])).toEqual([null, 'user 2']);
  });

  test('a turn that failed has no answer', () => {
    expect(
      keys(
        [],
        [
          live('t1', {
            phase: 'ended',
            ending: {
              turnId: 't1',
              conversationId: 'c',
              state: 'failed',
              model: 'm',
              attempt: 1,
              maxOutputTokens: 1,
              createdAt: '',
            },
          }),
        ],
      ),
    ).toEqual(['t1:question']);
  });
});

describe('the newest messages read again', () => {
  test('replace what has changed and add what is new, in order', () => {
    const before = [page([message(2, 'user', 'running')], turn(1))];
    const after = mergeNewest(before, end(turn(3), turn(2)));
    expect(after?.[0]?.items.map(({ turnId, role, state }) => [turnId, role, state])).toEqual([
      ['t3', 'assistant', 'completed'],
      ['t3', 'user', 'completed'],
      ['t2', 'assistant', 'completed'],
      ['t2', 'user', 'completed'],
      ['t1', 'assistant', 'completed'],
      ['t1', 'user', 'completed'],
    ]);
  });

  test('leave older pages where they are', () => {
    const before = [page(turn(4)), page(turn(3)), page(turn(2))];
    expect(mergeNewest(before, end(turn(5), turn(4)))?.map(({ items }) => items.length)).toEqual([4, 2, 2]);
  });

  test('are refused when a gap would be left', () => {
    expect(mergeNewest([page(turn(1))], end(turn(9), turn(8)))).toBeNull();
    expect(mergeNewest([page(turn(7))], end(turn(9), turn(8)))).not.toBeNull();
    // The end is all there is.
    expect(mergeNewest([page(turn(1))], page(turn(2), turn(1)))).toBeNull();
  });

  test('of another branch take the place of what is not theirs, and a question cut from its answer stays', () => {
    const other = turn(9).map((item) => ({ ...item, parentTurnId: 't1' }));
    const lines = (pages: ReturnType<typeof mergeNewest>) =>
      pages?.flatMap(({ items }) => items.map(({ turnId, role }) => `${turnId} ${role}`));
    expect(lines(mergeNewest([page(turn(3)), page(turn(2), turn(1))], end(other)))).toEqual([
      't9 assistant',
      't9 user',
      't1 assistant',
      't1 user',
    ]);
    expect(lines(mergeNewest([page(turn(2), turn(1))], end(turn(3), [message(2, 'assistant')])))).toEqual([
      't3 assistant',
      't3 user',
      't2 assistant',
      't2 user',
      't1 assistant',
      't1 user',
    ]);
  });
});
