import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { sql } from 'kysely';
import { Gate } from '../fake-model/scenario.ts';
import { startTestStack, type Person, type TestStack } from '../support/stack.ts';
import { until } from '../support/until.ts';

let stack: TestStack;
let person: Person;
beforeAll(async () => {
  stack = await startTestStack();
});
afterAll(() => stack.close());
beforeEach(async () => {
  person = await stack.person();
});

const send = (message: string, more: object = {}) => person.call('POST', '/api/chat/send', { message, ...more });

describe('a conversation that is deleted over HTTP', () => {
  test('is gone with its stream; its turn says so, and its key never runs again', async () => {
    stack.model.next({ chunks: ['동백은 ', '겨울에 핍니다'], usage: { prompt_tokens: 21, completion_tokens: 9 } });
    const turnId = randomUUID();
    const { body } = await send('동백은 언제 피나요?', { turnId });
    const { conversationId } = body;
    const path = `/api/conversations/${conversationId}`;
    const streams = () => stack.redis.commands.exists(`turn:${turnId}`);
    expect(await streams()).toBe(1);
    const used = (await person.call('GET', '/api/ai-usage')).body.usedTokens;
    expect((await person.call('DELETE', path)).status).toBe(204);
    expect(await streams()).toBe(0);
    for (const [method, at] of [
      ['GET', path],
      ['GET', `${path}/messages`],
      ['PATCH', path],
      ['DELETE', path],
    ] as const)
      expect((await person.call(method, at, method === 'PATCH' ? { title: 'x' } : undefined)).body.code).toBe(
        'not_found',
      );
    expect((await person.call('GET', '/api/conversations')).body.items).toEqual([]);
    const turn = (await person.call('GET', `/api/chat/turns/${turnId}`)).body;
    expect(turn).toMatchObject({ state: 'completed', erasedAt: expect.any(String), usage: { debitedTokens: 30 } });
    expect(turn.content).toBeUndefined();
    const calls = stack.model.requests.length;
    for (const again of [
      send('동백은 언제 피나요?', { turnId }),
      send('다른 질문', { turnId }),
      person.call('POST', `/api/chat/turns/${turnId}/retry`),
      person.call('GET', `/api/chat/turns/${turnId}/events`),
      (await stack.person('admin')).call('POST', `/api/admin/turns/${turnId}/replay`, { reason: 'x' }),
    ])
      expect(await again).toMatchObject({ status: 409, body: { code: 'turn_erased', turnId } });
    expect(stack.model.requests).toHaveLength(calls);
    expect((await person.call('GET', '/api/ai-usage')).body.usedTokens).toBe(used);
  });

  test('is 409 while it answers', async () => {
    const gate = new Gate('request');
    stack.model.next({ chunks: ['a', 'b'], gate });
    const { body } = await person.call('POST', '/api/chat/send', { message: 'q' }, { prefer: 'respond-async' });
    const path = `/api/conversations/${body.conversationId}`;
    expect(await person.call('DELETE', path)).toMatchObject({ status: 409, body: { code: 'conversation_busy' } });
    gate.open();
    await until(async () => (await person.call('GET', `/api/chat/turns/${body.turnId}`)).body.state === 'completed');
    expect((await person.call('DELETE', path)).status).toBe(204);
  });
});

describe('a link to a copy', () => {
  const visit = async (token: string) => {
    const response = await fetch(`${stack.url}/api/shared/${token}`, { headers: { 'x-request-id': 'the-same' } });
    return { status: response.status, text: await response.text(), headers: response.headers };
  };
  const gone = async (token: string) => {
    const { status, text } = await visit(token);
    return { status, text: text.replace(/"requestId":"[^"]*"/, '') };
  };
  async function shared() {
    stack.model.next({ chunks: ['첫 답'] });
    stack.model.next({ chunks: ['둘째 답'] });
    const { body: first } = await send('첫 질문');
    const { conversationId } = first;
    await send('둘째 질문', { conversationId });
    const path = `/api/conversations/${conversationId}/shares`;
    const link = (await person.call('POST', path, { turnId: first.turnId })).body;
    return { conversationId, path, link };
  }

  test('shows what was said up to its turn and nothing else, to anybody, and to no search engine', async () => {
    const { link } = await shared();
    expect(link.token).toMatch(/^[\w-]{22}$/);
    const { status, text, headers } = await visit(link.token);
    expect(status).toBe(200);
    expect(JSON.parse(text)).toEqual({
      title: '첫 질문',
      createdAt: link.createdAt,
      messages: [
        { role: 'user', content: '첫 질문' },
        { role: 'assistant', content: '첫 답' },
      ],
    });
    expect(headers.get('x-robots-tag')).toBe('noindex, nofollow');
    expect(headers.get('referrer-policy')).toBe('no-referrer');
    expect(headers.get('cache-control')).toBe('no-store');
  });

  test('unknown, malformed, expired, revoked, of a suspended person, and of a deleted conversation: one answer', async () => {
    const unknown = await gone('AAAAAAAAAAAAAAAAAAAAAA');
    expect(unknown.status).toBe(404);
    expect(await gone('%20x')).toEqual(unknown);
    const { conversationId, path, link } = await shared();
    const { body: other } = await person.call('POST', path, {});
    const { body: third } = await person.call('POST', path, { expiresInDays: 1 });
    expect((await visit(other.token)).status).toBe(200);
    expect((await person.call('GET', path)).body.items.map(({ shareId }: { shareId: string }) => shareId)).toEqual([
      third.shareId,
      other.shareId,
      link.shareId,
    ]);
    const stranger = await stack.person();
    expect((await stranger.call('DELETE', `/api/shares/${other.shareId}`)).status).toBe(404);
    expect((await stranger.call('GET', path)).status).toBe(404);
    expect((await stranger.call('POST', path, {})).status).toBe(404);
    expect((await person.call('DELETE', `/api/shares/${other.shareId}`)).status).toBe(204);
    expect(await gone(other.token)).toEqual(unknown);
    await sql`update share_links set expires_at = now() where id = ${third.shareId}`.execute(stack.db.database.sql);
    expect(await gone(third.token)).toEqual(unknown);
    const admin = await stack.person('admin');
    await admin.call('POST', `/api/admin/users/${person.userId}/suspend`, { reason: 'x' });
    expect(await gone(link.token)).toEqual(unknown);
    expect((await person.call('POST', path, {})).body.code).toBe('account_suspended');
    await admin.call('POST', `/api/admin/users/${person.userId}/resume`, { reason: 'x' });
    expect((await visit(link.token)).status).toBe(200);
    expect((await person.call('DELETE', `/api/conversations/${conversationId}`)).status).toBe(204);
    expect(await gone(link.token)).toEqual(unknown);
  });

  test('has at most 20 links to a conversation, however many are made at once; one that is revoked makes room', async () => {
    const { path, link } = await shared();
    const made = await Promise.all(Array.from({ length: 30 }, () => person.call('POST', path, {})));
    expect(made.filter(({ status }) => status === 201)).toHaveLength(19);
    expect(made.filter(({ body }) => body.code === 'too_many_share_links')).toHaveLength(11);
    expect((await person.call('DELETE', `/api/shares/${link.shareId}`)).status).toBe(204);
    expect((await person.call('POST', path, {})).status).toBe(201);
  });

  test('needs an answer to share, and one of the conversation’s own', async () => {
    const { body: empty } = await person.call('POST', '/api/conversations', {});
    const path = `/api/conversations/${empty.conversationId}/shares`;
    expect((await person.call('POST', path, {})).body.code).toBe('invalid_request');
    expect((await person.call('POST', path, { turnId: randomUUID() })).body.code).toBe('not_found');
    expect((await person.call('POST', path, { expiresInDays: 366 })).body.code).toBe('invalid_request');
  });
});

describe('the list', () => {
  test('finds what was asked and answered, and says where', async () => {
    stack.model.next({ chunks: ['서울에는 벚꽃길이 많습니다. 석촌호수를 권합니다.'] });
    const { body } = await send('봄에 어디를 걸을까요?');
    await send('다른 이야기');
    const find = async (search: string) =>
      (await person.call('GET', `/api/conversations?search=${encodeURIComponent(search)}`)).body.items;
    expect(await find('석촌호수')).toEqual([
      expect.objectContaining({
        conversationId: body.conversationId,
        found: {
          turnId: body.turnId,
          sequence: 1,
          role: 'assistant',
          before: '서울에는 벚꽃길이 많습니다. ',
          match: '석촌호수',
          after: '를 권합니다.',
        },
      }),
    ]);
    expect((await find('걸을까'))[0].found).toMatchObject({ role: 'user', match: '걸을까' });
    expect(await find('없는말')).toEqual([]);
    const stranger = await stack.person();
    expect((await stranger.call('GET', `/api/conversations?search=${encodeURIComponent('석촌')}`)).body.items).toEqual(
      [],
    );
  });

  test('has those that are pinned apart', async () => {
    const { body: kept } = await send('하나');
    await send('둘');
    const change = (pinned: boolean) => person.call('PATCH', `/api/conversations/${kept.conversationId}`, { pinned });
    expect((await change(true)).body.pinned).toBe(true);
    const titles = async (query: string) =>
      (await person.call('GET', `/api/conversations?${query}`)).body.items.map(({ title }: { title: string }) => title);
    expect([await titles('pinned=true'), await titles('pinned=false'), await titles('')]).toEqual([
      ['하나'],
      ['둘'],
      ['둘', '하나'],
    ]);
    await change(false);
    expect(await titles('pinned=true')).toEqual([]);
  });
});

describe('own instructions', () => {
  const put = (text: string, more: object = {}, at = '/api/me/instructions') =>
    person.call('PUT', at, { text, ...more });
  const systemOf = (call: number) =>
    (stack.model.requests[call]?.body.messages ?? [])
      .filter(({ role }) => role !== 'user' && role !== 'assistant')
      .map(({ content }) => content);

  test('are told to the model behind the catalogue’s, everywhere and in one conversation, and shown to nobody else', async () => {
    expect((await person.call('GET', '/api/me/instructions')).body).toEqual({
      text: '',
      tokens: 0,
      mostTokens: 300,
      version: 0,
      updatedAt: null,
    });
    const decomposed = '동백처럼 짧게 답해 주세요.'.normalize('NFD');
    const { body: mine } = await put(`  ${decomposed}\n`, { version: 0 });
    expect(mine).toMatchObject({ text: decomposed.normalize('NFC'), version: 1, updatedAt: expect.any(String) });
    expect((await person.call('POST', '/api/me/instructions/count', { text: decomposed })).body).toEqual({
      tokens: mine.tokens,
      mostTokens: 300,
    });
    const { body: first } = await send('첫 질문');
    const { conversationId } = first;
    const path = `/api/conversations/${conversationId}/instructions`;
    expect((await put('뱃사람처럼 말해 주세요.', {}, path)).body).toMatchObject({ version: 1 });
    const calls = stack.model.requests.length;
    const { body: second } = await send('둘째 질문', { conversationId });
    expect([first.instructions, second.instructions]).toEqual([
      { person: 1, conversation: null },
      { person: 1, conversation: 1 },
    ]);
    const [system, ...others] = systemOf(calls);
    expect(others).toEqual([]);
    expect(system).toMatch(/^당신은 [^]*동백처럼[^]*뱃사람처럼/);
    expect(systemOf(calls - 1)[0]).not.toContain('뱃사람처럼');

    const { body: link } = await person.call('POST', `/api/conversations/${conversationId}/shares`, {});
    const shown = [
      await fetch(`${stack.url}/api/shared/${link.token}`).then((response) => response.text()),
      JSON.stringify((await person.call('GET', `/api/conversations/${conversationId}/messages`)).body),
    ].join('');
    expect([shown.includes('둘째 질문'), /동백처럼|뱃사람처럼/.test(shown)]).toEqual([true, false]);
    const file = async (format: string) =>
      (await person.raw('GET', `/api/conversations/${conversationId}/export?format=${format}`)).text();
    expect(await file('json')).toContain('"instructions":"뱃사람처럼 말해 주세요."');
    expect(await file('markdown')).toMatch(/^# 첫 질문\n\n## 이 대화의 지침\n\n뱃사람처럼/);
    const stranger = await stack.person();
    for (const method of ['GET', 'PUT'])
      expect((await stranger.call(method, path, method === 'PUT' ? { text: 'x' } : undefined)).status).toBe(404);
    expect((await stranger.call('GET', '/api/me/instructions')).body.text).toBe('');
    expect((await put('\u200b ')).body).toMatchObject({ text: '', tokens: 0, version: 2 });
    expect((await send('셋째 질문')).body.instructions).toBeUndefined();
  });

  test('have at most 300 tokens, by the count that counts, and a writer who read another version is told', async () => {
    const text = '물 '.repeat(400);
    const { body: count } = await person.call('POST', '/api/me/instructions/count', { text });
    expect(count.tokens).toBeGreaterThan(300);
    expect(await put(text)).toMatchObject({
      status: 400,
      body: { code: 'invalid_request', field: 'text', tokens: count.tokens, mostTokens: 300 },
    });
    expect(await put('a'.repeat(4_001))).toMatchObject({ status: 400, body: { field: 'text' } });
    await put('하나', { version: 0 });
    expect(await put('둘', { version: 0 })).toMatchObject({
      status: 409,
      body: { code: 'version_conflict', version: 1 },
    });
    expect((await put('하나', { version: 0 })).status).toBe(200);
  });

  test('that alone leave no room are named by the 402, in both languages; a question too long by itself is not theirs', async () => {
    const admin = await stack.person('admin');
    const at = (usagePercent: number) =>
      admin.call('POST', '/api/ai-usage/test-usage', { userId: person.userId, usagePercent });
    // Some 500 tokens under the ceiling: enough for a short question and 256 tokens, and not for 290 more.
    expect((await at(104.5)).body).toMatchObject({ level: 'CRITICAL' });
    await put('word '.repeat(240));
    const turnId = randomUUID();
    const refused = await person.call(
      'POST',
      '/api/chat/send',
      { message: '안녕', turnId },
      { 'accept-language': 'en' },
    );
    expect(refused).toMatchObject({
      status: 402,
      body: { code: 'TOKEN_EXHAUSTED', because: 'own_instructions', recommendedAction: 'PURCHASE_TOKENS' },
    });
    expect(refused.body.message).toMatch(/your own instructions/);
    const told = await person.call('GET', `/api/chat/turns/${turnId}/events`);
    expect(told.body).toMatchObject({ because: 'own_instructions', message: expect.stringContaining('지침') });
    const long = await send('물 '.repeat(700).trim());
    expect([long.status, long.body.because]).toEqual([402, undefined]);
    await put('');
    expect((await send('안녕', { turnId })).body).toMatchObject({ turnId, state: 'completed' });
  });
});
