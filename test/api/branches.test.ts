import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { startTestStack, type TestStack } from '../support/stack.ts';

let stack: TestStack;
beforeAll(async () => {
  stack = await startTestStack();
});
afterAll(() => stack.close());

const ANSWER = { chunks: ['대답'] };

test('a question is edited, an answer is made once more: the model is sent the line alone, and the parent is part of the body', async () => {
  const person = await stack.person();
  for (let n = 0; n < 4; n++) stack.model.next(ANSWER);
  const send = (body: object) => person.call('POST', '/api/chat/send', body);
  const first = (await send({ message: '하나' })).body;
  const { conversationId } = first;
  await send({ conversationId, message: '둘' });
  const edited = { turnId: randomUUID(), conversationId, message: '둘 다시', parentTurnId: first.turnId };
  expect(await send(edited)).toMatchObject({ status: 200 });
  const sent = () => JSON.stringify(stack.model.requests.at(-1)?.body);
  expect(sent()).toContain('하나');
  expect(sent()).not.toContain('"둘"');

  // The same again is the same turn. Another parent, or none, is another body.
  expect(await send(edited)).toMatchObject({ status: 200, body: { turnId: edited.turnId } });
  const { parentTurnId: _, ...without } = edited;
  for (const body of [without, { ...edited, parentTurnId: null }])
    expect(await send(body)).toMatchObject({ status: 409, body: { code: 'idempotency_conflict' } });

  // A new first question.
  expect(await send({ conversationId, message: '셋', parentTurnId: null })).toMatchObject({ status: 200 });
  expect(sent()).not.toContain('하나');
  expect(await send({ conversationId, message: '?', parentTurnId: randomUUID() })).toMatchObject({
    status: 404,
    body: { code: 'not_found' },
  });
  expect(await send({ message: '?', parentTurnId: first.turnId })).toMatchObject({
    status: 400,
    body: { code: 'invalid_request', field: 'parentTurnId' },
  });

  const messages = async (query: string) =>
    (await person.call('GET', `/api/conversations/${conversationId}/messages?${query}`)).body.items;
  const all = await messages('');
  const alone = { number: 1, count: 1, previousTurnId: null, nextTurnId: null };
  const branches = ([sequence, place]: readonly [number, object]) => {
    const message = [sequence, { ...place, questions: place, answers: alone }];
    return [message, message];
  };
  expect(all.map(({ sequence, branch }: { sequence: number; branch: object }) => [sequence, branch])).toEqual(
    (
      [
        [1, { number: 1, count: 2, previousTurnId: null, nextTurnId: all[6].turnId }],
        [2, { number: 1, count: 2, previousTurnId: null, nextTurnId: edited.turnId }],
        [3, { number: 2, count: 2, previousTurnId: all[2].turnId, nextTurnId: null }],
        [4, { number: 2, count: 2, previousTurnId: first.turnId, nextTurnId: null }],
      ] as const
    ).flatMap(branches),
  );
  const contents = async (branch: string) =>
    (await messages(`branch=${branch}`)).map(({ content }: { content: string }) => content);
  expect(await contents('newest')).toEqual(['셋', '대답']);
  expect(await contents(first.turnId)).toEqual(['하나', '대답', '둘 다시', '대답']);
  const away = await person.call('GET', `/api/conversations/${conversationId}/messages?branch=${randomUUID()}`);
  expect(away.status).toBe(404);

  // A copy, and a file that asks for it, are one line; a search finds what is on no line that is shown.
  const texts = (list: { content: string }[]) => list.map(({ content }) => content);
  const share = await person.call('POST', `/api/conversations/${conversationId}/shares`, { turnId: edited.turnId });
  const copy = await person.call('GET', `/api/shared/${share.body.token}`);
  expect(texts(copy.body.messages)).toEqual(['하나', '대답', '둘 다시', '대답']);
  const file = (query: string) => person.call('GET', `/api/conversations/${conversationId}/export${query}`);
  expect((await file('')).body.messages).toHaveLength(8);
  const line = (await file(`?branch=${all[2].turnId}`)).body.messages;
  expect(texts(line)).toEqual(['하나', '대답', '둘', '대답']);
  expect(line[2]).toMatchObject({ turnId: all[2].turnId, parentTurnId: first.turnId });
  expect(await file(`?branch=${randomUUID()}`)).toMatchObject({ status: 404, body: { code: 'not_found' } });
  const found = (await person.call('GET', `/api/conversations?search=${encodeURIComponent('둘 다')}`)).body.items;
  expect(found).toMatchObject([{ conversationId, found: { turnId: edited.turnId } }]);

  // Erasing takes every branch with it.
  expect((await person.call('DELETE', `/api/conversations/${conversationId}`)).status).toBe(204);
  expect(await send({ conversationId, message: '?', parentTurnId: first.turnId })).toMatchObject({ status: 404 });
});

test('an answer is rated, and admins see how many', async () => {
  const person = await stack.person();
  const admin = await stack.person('admin');
  stack.model.next(ANSWER);
  const { body: turn } = await person.call('POST', '/api/chat/send', { message: '안녕' });
  const rate = (rating: unknown) => person.call('POST', `/api/chat/turns/${turn.turnId}/feedback`, { rating });
  expect(await rate('good')).toMatchObject({ status: 200, body: { turnId: turn.turnId, rating: 'good' } });
  expect(await rate('best')).toMatchObject({ status: 400 });
  expect((await admin.call('GET', '/api/admin/feedback')).body).toEqual({
    items: [{ model: turn.model, good: 1, bad: 0 }],
  });
  const messages = `/api/conversations/${turn.conversationId}/messages`;
  expect((await person.call('GET', messages)).body.items[1]).toMatchObject({ feedback: 'good' });
  await rate(null);
  expect((await person.call('GET', messages)).body.items[1].feedback).toBeUndefined();
  expect(await person.call('GET', '/api/admin/feedback')).toMatchObject({ status: 403 });
});
