import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { sql } from 'kysely';
import { sweepFiles } from '../../db/files/files.ts';
import { imageTokens, publishedVision } from '../../domain/files/vision.ts';
import { lockRows } from '../support/lock.ts';
import { chunk, gifOfFrames, PICTURES, pngOf, pngThatClaims, SECRET } from '../support/pictures.ts';
import { startTestStack, type Person, type TestStack } from '../support/stack.ts';
import { until } from '../support/until.ts';

const MODELS = JSON.stringify([
  { name: 'gpt-4.1-mini', contextWindow: 100_000, maxOutputTokens: 1_000 },
  { name: 'blind', contextWindow: 100_000, maxOutputTokens: 1_000 },
]);
let stack: TestStack;
let person: Person;
beforeAll(async () => {
  stack = await startTestStack({ MODELS, FILES_MB_PER_PERSON: '6' });
  person = await stack.person();
});
afterAll(() => stack.close());

/** Uploads and returns status, body and headers. */
async function upload(
  bytes: Buffer,
  { name = 'bill.jpg', by = person, ...headers }: { name?: string; by?: Person } & Record<string, unknown> = {},
) {
  const response = await fetch(`${stack.url}/api/files?name=${encodeURIComponent(name)}`, {
    method: 'POST',
    body: new Uint8Array(bytes),
    headers: { authorization: `Bearer ${by.token}`, ...(headers as Record<string, string>) },
  });
  return { status: response.status, body: (await response.json()) as any };
}
const uploaded = async (bytes: Buffer, options?: Parameters<typeof upload>[1]): Promise<string> => {
  const { status, body } = await upload(bytes, options);
  expect({ status, body }).toMatchObject({ status: 201 });
  return body.fileId as string;
};
const send = (body: object, by = person) => by.call('POST', '/api/chat/send', body);
const countOf = async (table: 'files' | 'file_contents' | 'turn_files') =>
  Number(
    (await sql<{ n: number }>`select count(*)::int as n from ${sql.table(table)}`.execute(stack.db.database.sql))
      .rows[0]?.n,
  );
const bill = { width: 48, height: 32 };
const tokensOf = (size: { width: number; height: number }) => imageTokens(publishedVision('gpt-4.1-mini')!, size);

describe('a file', () => {
  test('is kept without what it tells of its person, and is its owner’s alone, as an attachment that runs nothing', async () => {
    const { status, body } = await upload(PICTURES.jpeg, { name: '../고지서.png' });
    expect([status, body]).toEqual([
      201,
      expect.objectContaining({ name: '고지서.jpg', mediaType: 'image/jpeg', ...bill, bytes: expect.any(Number) }),
    ]);
    const own = await person.raw('GET', `/api/files/${body.fileId}`);
    const bytes = Buffer.from(await own.arrayBuffer());
    expect([own.status, bytes.length, bytes.includes(SECRET), bytes[0]]).toEqual([200, body.bytes, false, 0xff]);
    expect(Object.fromEntries(own.headers)).toMatchObject({
      'content-type': 'image/jpeg',
      'content-disposition': expect.stringMatching(/^attachment; filename=/),
      'content-security-policy': "default-src 'none'; sandbox",
      'x-content-type-options': 'nosniff',
      'cache-control': 'no-store',
    });
    const stranger = await stack.person();
    for (const [method, path] of [
      ['GET', body.fileId],
      ['DELETE', body.fileId],
      ['GET', 'no-id'],
    ] as const)
      expect((await stranger.call(method, `/api/files/${path}`)).status).toBe(404);
    expect((await send({ message: 'x', files: [body.fileId] }, stranger)).body.code).toBe('file_not_found');
    expect((await person.call('DELETE', `/api/files/${body.fileId}`)).status).toBe(204);
    expect((await person.raw('GET', `/api/files/${body.fileId}`)).status).toBe(404);
  });

  test('is refused with its reason in the reader’s language, and leaves nothing', async () => {
    const before = await countOf('files');
    const cases: [Buffer, string, number, string, RegExp][] = [
      [pngThatClaims(100_000, 100_000), 'a.png', 422, 'file_refused', /5,000만 화소/],
      [gifOfFrames(10_000), 'a.gif', 422, 'file_refused', /움직이는/],
      [Buffer.alloc(5 * 1_024 * 1_024, 'a'), 'a.txt', 422, 'file_refused', /100,000자/],
      [Buffer.alloc(5 * 1_024 * 1_024 + 1, 'a'), 'a.txt', 413, 'payload_too_large', /5 MiB/],
      [PICTURES.jpeg.subarray(0, 600), 'a.jpg', 422, 'file_refused', /손상/],
      [Buffer.from('<svg xmlns="x"></svg>'), 'a.txt', 422, 'file_refused', /PNG, JPEG/],
      [Buffer.from('words'), 'photo.png', 422, 'file_refused', /PNG, JPEG/],
      [Buffer.alloc(0), 'a.txt', 422, 'file_refused', /빈 파일/],
    ];
    for (const [bytes, name, status, code, sentence] of cases) {
      const refused = await upload(bytes, { name });
      expect([name, refused.status, refused.body.code, refused.body.message]).toEqual([
        name,
        status,
        code,
        expect.stringMatching(sentence),
      ]);
    }
    expect((await upload(PICTURES.gif, { 'content-encoding': 'gzip' })).status).toBe(415);
    expect(await countOf('files')).toBe(before);
  });

  test('sent again with its key is the same; all of a person’s have a bound, which two at once do not pass', async () => {
    const other = await stack.person();
    const key = { by: other, 'idempotency-key': 'once' };
    const first = await upload(pngOf(20, 20), key);
    expect((await upload(pngOf(20, 20), key)).body).toEqual(first.body);
    expect((await upload(pngOf(21, 20), key)).body.code).toBe('idempotency_conflict');
    // Noise does not shrink: 4 MB each, of 6.
    const noise = Buffer.concat([pngOf(1, 1).subarray(0, 33), ...noiseChunks(4_000_000), pngOf(1, 1).subarray(-12)]);
    const two = await Promise.all([upload(noise, { by: other }), upload(noise, { by: other })]);
    expect(two.map(({ status, body }) => [status, body.code ?? null]).sort()).toEqual([
      [201, null],
      [409, 'file_quota_reached'],
    ]);
  });

  test('counts 4 KiB at least, so that the number of a person’s files has a bound, too', async () => {
    const [one, others] = [await stack.person(), (6 * 1_024) / 4 - 1];
    await sql`insert into files (id, user_id, name, media_type, size, text_tokens, sent_hash)
      select gen_random_uuid(), ${one.userId}, 'a.txt', 'text/plain', 1, '{}', '' from generate_series(1, ${others}::integer)`.execute(
      stack.db.database.sql,
    );
    const word = (by = one) => upload(Buffer.from('a'), { name: 'a.txt', by });
    expect((await word()).status).toBe(201);
    expect(await word()).toMatchObject({
      status: 409,
      body: { code: 'file_quota_reached', usedBytes: 6 * 1_024 ** 2 },
    });
    await sql`delete from files where user_id = ${one.userId}`.execute(stack.db.database.sql);
  });

  test('that no question shows is gone after a day', async () => {
    const [young, old, shown] = [
      await uploaded(PICTURES.gif),
      await uploaded(PICTURES.gif),
      await uploaded(PICTURES.gif),
    ];
    const { database } = stack.db;
    await send({ message: 'x', files: [shown] });
    await sql`update files set look_at = look_at - interval '25 hours' where id in (${old}, ${shown})`.execute(
      database.sql,
    );
    const lookAt = async () =>
      (
        await sql<{ due: boolean | null }>`select look_at <= now() as due from files where id = ${shown}`.execute(
          database.sql,
        )
      ).rows;
    expect(await sweepFiles(database)).toBe(1);
    // No round looks at it again, until its question lets go of it: by whatever statement that happens.
    expect(await lookAt()).toEqual([{ due: null }]);
    expect(await sweepFiles(database)).toBe(0);
    await sql`delete from turn_files where file_id = ${shown}`.execute(database.sql);
    expect(await lookAt()).toEqual([{ due: true }]);
    expect(await sweepFiles(database)).toBe(1);
    expect(await lookAt()).toEqual([]);
    expect((await person.raw('GET', `/api/files/${young}`)).status).toBe(200);
    expect((await person.raw('GET', `/api/files/${old}`)).status).toBe(404);
    expect((await send({ message: 'x', files: [old] })).body).toMatchObject({ code: 'file_not_found' });
  });
});

describe('a question with files', () => {
  test('reaches the model with them, costs what was estimated at most, and shows them afterwards', async () => {
    const image = await uploaded(PICTURES.jpeg);
    const notes = await uploaded(Buffer.from('전기 요금 45,000원'), { name: '메모.txt' });
    const question = { message: 'what is due?', files: [notes, image], maxOutputTokens: 300 };
    const estimate = await person.call('POST', '/api/chat/estimate', question);
    expect(estimate.body).toMatchObject({ model: 'gpt-4.1-mini', refusal: null, maxOutputTokens: 300 });
    expect(estimate.body.fileTokens).toBeGreaterThan(tokensOf(bill));
    expect(estimate.body.mostTokens).toBe(Math.ceil(estimate.body.promptTokens * 1.1) + 16 + 300);
    const { status, body } = await send(question);
    expect([status, body.state]).toEqual([200, 'completed']);
    const asked = stack.model.requests.at(-1)!.body.messages.at(-1)!;
    expect(asked.content).toEqual([
      { type: 'text', text: '<file name="메모.txt">\n전기 요금 45,000원\n</file>\n\nwhat is due?' },
      { type: 'image_url', image_url: { url: expect.stringMatching(/^data:image\/jpeg;base64,/) } },
    ]);
    expect(body.usage.estimated).toBe(false);
    expect(body.usage.promptTokens).toBe(estimate.body.promptTokens);
    expect(body.usage.debitedTokens).toBeLessThanOrEqual(estimate.body.mostTokens);
    const shown = await person.call('GET', `/api/conversations/${body.conversationId}/messages`);
    expect(shown.body.items[0].files.map(({ fileId, name }: any) => [fileId, name])).toEqual([
      [notes, '메모.txt'],
      [image, 'bill.jpg'],
    ]);
    expect(shown.body.items[1].files).toBeUndefined();
    const exported = await person.raw('GET', `/api/conversations/${body.conversationId}/export?format=markdown`);
    expect(await exported.text()).toContain('첨부 파일: 메모.txt, bill.jpg');
    const share = await person.call('POST', `/api/conversations/${body.conversationId}/shares`, {});
    const copy = await fetch(`${stack.url}/api/shared/${share.body.token}`).then((answer) => answer.json() as any);
    expect(copy.messages[0]).toEqual({ role: 'user', content: 'what is due?', files: 2 });
    expect((await person.call('DELETE', `/api/files/${image}`)).body.code).toBe('file_attached');
  });

  test('shows them again, and pays again, in the next turns as far as they fit; another question is another body', async () => {
    const image = await uploaded(PICTURES.jpeg);
    const first = await send({ message: 'one', files: [image] });
    const { conversationId } = first.body;
    const next = await send({ message: 'two', conversationId });
    const [earlier] = stack.model.requests.at(-1)!.body.messages.filter(({ role }) => role === 'user');
    expect(earlier?.content).toEqual([{ type: 'text', text: 'one' }, expect.objectContaining({ type: 'image_url' })]);
    expect(next.body.usage.promptTokens).toBeGreaterThan(tokensOf(bill));
    // Two of the largest do not fit 8,000 tokens with a third.
    const large = { width: 2_048, height: 2_048 };
    const many = await Promise.all([1, 2, 3].map(() => uploaded(pngOf(large.width, large.height))));
    for (const file of many) await send({ message: 'more', conversationId, files: [file] });
    const asked = await send({ message: 'and now?', conversationId });
    const images = stack.model.requests
      .at(-1)!
      .body.messages.map(({ content }) =>
        Array.isArray(content) ? content.filter(({ type }) => type === 'image_url').length : 0,
      );
    expect([3 * tokensOf(large) <= 8_000, 3 * tokensOf(large) + tokensOf(bill) > 8_000]).toEqual([true, false]);
    expect(images.filter((count) => count > 0).length).toBe(4);
    expect(asked.body.usage.promptTokens).toBeGreaterThan(3 * tokensOf(large));
    const turnId = crypto.randomUUID();
    const own = { turnId, message: 'same', files: [image] };
    expect((await send(own)).status).toBe(200);
    expect((await send(own)).status).toBe(200);
    expect((await send({ ...own, files: [] })).body.code).toBe('idempotency_conflict');
  });

  test('is refused where the model is blind, where a file is named twice, and where they are too many', async () => {
    const [image, notes] = [await uploaded(PICTURES.gif), await uploaded(Buffer.from('only words'), { name: 'a.txt' })];
    for (const path of ['/api/chat/send', '/api/chat/estimate']) {
      const refused = await person.call('POST', path, { message: 'x', model: 'blind', files: [image] });
      expect([refused.status, refused.body.code]).toEqual([400, 'model_sees_no_images']);
    }
    expect((await send({ message: 'x', model: 'blind', files: [notes] })).status).toBe(200);
    expect(stack.model.requests.at(-1)!.body.messages.at(-1)!.content).toBe(
      '<file name="a.txt">\nonly words\n</file>\n\nx',
    );
    expect((await send({ message: 'x', files: [image, image] })).body).toMatchObject({
      code: 'invalid_request',
      field: 'files',
    });
    const nine = Array.from({ length: 9 }, () => crypto.randomUUID());
    expect((await send({ message: 'x', files: nine })).body.code).toBe('invalid_request');
    const models = await person.call('GET', '/api/models');
    expect(models.body.items.map(({ name, vision }: any) => [name, vision])).toEqual([
      ['gpt-4.1-mini', true],
      ['blind', false],
    ]);
  });

  test('goes with its conversation; a file that another question shows stays until that goes, too', async () => {
    const [only, both] = [await uploaded(PICTURES.gif), await uploaded(PICTURES.lossyWebp)];
    const first = await send({ message: 'one', files: [only, both] });
    const second = await send({ message: 'two', files: [both] });
    const statuses = async () =>
      Promise.all([only, both].map(async (id) => (await person.raw('GET', `/api/files/${id}`)).status));
    await person.call('DELETE', `/api/conversations/${first.body.conversationId}`);
    expect(await statuses()).toEqual([404, 200]);
    await person.call('DELETE', `/api/conversations/${second.body.conversationId}`);
    expect(await statuses()).toEqual([404, 404]);
    expect(await countOf('file_contents')).toBe(await countOf('files'));
  });

  test('whose conversation is erased while another one asks for them in another order: one goes after the other', async () => {
    const files = [await uploaded(PICTURES.gif), await uploaded(PICTURES.gif), await uploaded(PICTURES.gif)];
    const { body } = await send({ message: 'one', files });
    const lock = await lockRows(stack.db.url, 'select 1 from files where id = $1', [files[1]]);
    const erased = person.call('DELETE', `/api/conversations/${body.conversationId}`);
    await until(() => lock.isWanted());
    const asked = send({ message: 'two', files: files.toReversed() });
    await until(() => lock.isWanted(2));
    await lock.release();
    expect([(await erased).status, (await asked).body.code]).toEqual([204, 'file_not_found']);
  });

  test('races with others and never passes 105 %', async () => {
    const poor = await stack.person();
    await poor.call('POST', '/api/ai-usage/test-usage', { userId: poor.userId, usagePercent: 92 });
    const file = await uploaded(pngOf(2_048, 1_536), { by: poor });
    const each = 1 + tokensOf({ width: 2_048, height: 1_536 });
    const answers = await Promise.all(
      Array.from({ length: 12 }, (_, i) => send({ message: `n ${i}`, files: [file], maxOutputTokens: 300 }, poor)),
    );
    const done = answers.filter(({ status }) => status === 200);
    expect([done.length > 0, done.length * each <= 13_000]).toEqual([true, true]);
    expect(answers.every(({ status }) => [200, 402, 409].includes(status))).toBe(true);
    const usage = async () => (await poor.call('GET', '/api/ai-usage')).body;
    await until(async () => (await usage()).heldTokens === 0);
    const { usedTokens } = await usage();
    expect(usedTokens).toBeLessThanOrEqual(105_000);
    expect(usedTokens).toBeGreaterThan(92_000 + done.length * each);
    const refused = await poor.call('POST', '/api/chat/estimate', {
      message: 'x',
      files: [file],
      maxOutputTokens: 1_000,
    });
    expect(refused.body.mostTokens).toBeGreaterThan(each + 1_000);
  });
});

/** So many bytes of pixels, as a PNG holds them: they are never looked at. */
function noiseChunks(bytes: number): Buffer[] {
  return [pngThatClaims(1, 1).subarray(33, -12), chunk('IDAT', Buffer.alloc(bytes, 7))];
}
