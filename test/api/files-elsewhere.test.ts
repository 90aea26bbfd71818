import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { sql } from 'kysely';
import { removeLooseObjects } from '../../operations/files/contents.ts';
import { openObjects } from '../../operations/files/open-objects.ts';
import { readConfig } from '../../platform/config/config.ts';
import { createObjectStore } from '../../platform/objects/object-store.ts';
import { PICTURES, pngOf, SECRET } from '../support/pictures.ts';
import { startFakeStore, type FakeStore } from '../support/s3.ts';
import { startTestStack, type Person, type TestStack } from '../support/stack.ts';
import { until } from '../support/until.ts';

let store: FakeStore;
let stack: TestStack;
let person: Person;
const warnings: string[] = [];
const log = { warn: (fields: object, message: string) => void warnings.push(`${message} ${JSON.stringify(fields)}`) };
beforeAll(async () => {
  store = await startFakeStore();
  stack = await startTestStack({
    ...store.env,
    FILES_MB_PER_PERSON: '1',
    MODELS: '[{"name":"gpt-4.1-mini","contextWindow":100000,"maxOutputTokens":1000}]',
  });
  person = await stack.person();
});
afterEach(() => store.fail(null));
afterAll(async () => {
  await stack.close();
  await store.close();
});

async function upload(bytes: Buffer, name: string, { by = person, ...headers }: { by?: Person; key?: string } = {}) {
  const response = await fetch(`${stack.url}/api/files?name=${name}`, {
    method: 'POST',
    body: new Uint8Array(bytes),
    headers: {
      authorization: `Bearer ${by.token}`,
      ...(headers.key === undefined ? {} : { 'idempotency-key': headers.key }),
    },
  });
  return { status: response.status, headers: response.headers, body: (await response.json()) as any };
}
const contents = () => ({
  database: stack.db.database,
  objects: createObjectStore(readConfig(store.env).files.objects!),
  log,
});
const sweep = (most = 1_000) => removeLooseObjects(contents(), { most, withinMs: 2_000 });
const run = (query: ReturnType<typeof sql<{ n: number }>>) => query.execute(stack.db.database.sql);
const rowsOf = async (table: 'file_contents' | 'loose_objects') =>
  Number((await run(sql<{ n: number }>`select count(*)::int as n from ${sql.table(table)}`)).rows[0]?.n);
const makeDue = () => run(sql`update loose_objects set remove_at = now()`);

test('an image is kept in the store, clean and nowhere else; a model and its owner get it from there; it goes with its conversation', async () => {
  const { status, body } = await upload(PICTURES.jpeg, 'bill.jpg');
  expect(status).toBe(201);
  const kept = store.objects.get(`files/${body.fileId}`);
  expect([kept?.type, kept?.bytes.length, kept?.bytes.includes(SECRET)]).toEqual(['image/jpeg', body.bytes, false]);
  expect([await rowsOf('file_contents'), await rowsOf('loose_objects')]).toEqual([0, 0]);
  const own = await person.raw('GET', `/api/files/${body.fileId}`);
  expect(Buffer.from(await own.arrayBuffer()).equals(kept!.bytes)).toBe(true);
  const sent = await person.call('POST', '/api/chat/send', { message: 'what?', files: [body.fileId] });
  expect(sent.body.state).toBe('completed');
  expect(JSON.stringify(stack.model.requests.at(-1)!.body)).toContain(kept!.bytes.toString('base64'));
  // A draft that is taken back, and a conversation that is erased: both are gone with the answer.
  const draft = await upload(PICTURES.gif, 'a.gif');
  expect((await person.call('DELETE', `/api/files/${draft.body.fileId}`)).status).toBe(204);
  expect([...store.objects.keys()]).toEqual([`files/${body.fileId}`]);
  expect((await person.call('DELETE', `/api/conversations/${sent.body.conversationId}`)).status).toBe(204);
  expect([store.objects.size, await rowsOf('loose_objects')]).toEqual([0, 0]);
  // A text stays in PostgreSQL, and so does an image that was there before there was a store.
  await upload(Buffer.from('words'), 'a.txt');
  const old = crypto.randomUUID();
  await run(sql`with f as (
      insert into files (id, user_id, name, media_type, size, width, height, sent_hash)
      values (${old}, ${person.userId}, 'old.gif', 'image/gif', 5, 1, 1, 'x') returning id
    ) insert into file_contents select id, 'bytes' from f`);
  expect(await person.raw('GET', `/api/files/${old}`).then((answer) => answer.text())).toBe('bytes');
  expect([store.objects.size, await rowsOf('file_contents')]).toEqual([0, 2]);
});

test('a store that is away: an upload is 503, a turn is tried again and costs nothing, what is erased goes when it is back', async () => {
  const { body } = await upload(PICTURES.gif, 'a.gif');
  const shown = await person.call('POST', '/api/chat/send', { message: 'what?', files: [body.fileId] });
  const { conversationId } = shown.body;
  const { usedTokens } = (await person.call('GET', '/api/ai-usage')).body;
  store.fail({ status: 503, code: 'SlowDown' });
  const refused = await upload(PICTURES.gif, 'b.gif');
  expect([refused.status, refused.body.code, refused.headers.get('retry-after')]).toEqual([503, 'unavailable', '5']);
  expect(refused.body.message).toMatch(/[가-힣]/);
  expect((await person.call('GET', `/api/files/${body.fileId}`)).body.code).toBe('unavailable');
  const before = stack.model.requests.length;
  const failed = await person.call('POST', '/api/chat/send', { message: 'and now?', conversationId });
  expect([failed.status, failed.body.code, failed.body.retryable]).toEqual([502, 'interrupted', true]);
  expect(stack.model.requests.length).toBe(before);
  const usage = async () => (await person.call('GET', '/api/ai-usage')).body;
  await until(async () => (await usage()).heldTokens === 0);
  expect((await usage()).usedTokens).toBe(usedTokens);
  // In the middle of its attempts it comes back, and the turn with it.
  store.fail({ status: 500, code: 'InternalError' }, 4);
  const again = await person.call('POST', `/api/chat/turns/${failed.body.turnId}/retry`, {});
  expect([again.body.state, store.answered.at(-1)]).toEqual(['completed', 'GET 200']);
  store.fail({ status: 503, code: 'SlowDown' });
  expect((await person.call('DELETE', `/api/conversations/${conversationId}`)).status).toBe(204);
  expect([store.objects.has(`files/${body.fileId}`), await rowsOf('loose_objects')]).toEqual([true, 2]);
  expect(await stack.metrics.render()).toMatch(/turnkeeper_loose_object_age_seconds \d/);
  await makeDue();
  expect([await sweep(), warnings.some((line) => line.includes('DELETE 503 SlowDown'))]).toEqual([0, true]);
  store.fail(null);
  // Claimed by the round that failed, so that two rounds at once do not do the same.
  expect(await sweep()).toBe(0);
  await makeDue();
  expect([await sweep(), store.objects.size, await rowsOf('loose_objects')]).toEqual([2, 0, 0]);
  expect(warnings.join()).not.toContain(store.env.S3_SECRET_ACCESS_KEY);
});

test('an upload that comes to nothing counts in the quota until its object is removed, and no file names one that is', async () => {
  const other = await stack.person();
  // What the store refuses it has not written.
  store.fail({ status: 403, code: 'AccessDenied' });
  expect((await upload(pngOf(600, 600), 'a.png', { by: other })).status).toBe(503);
  expect(await rowsOf('loose_objects')).toBe(0);
  store.fail(null);
  // A process that dies between the store and PostgreSQL leaves this.
  await run(sql`insert into loose_objects (file_id, user_id, size, remove_at)
    values (gen_random_uuid(), ${other.userId}, 1048000, now() + interval '1 hour')`);
  expect((await upload(pngOf(300, 300), 'a.png', { by: other })).body).toMatchObject({
    code: 'file_quota_reached',
    usedBytes: 1_048_000,
  });
  expect(await sweep()).toBe(0);
  await makeDue();
  expect(await sweep()).toBe(1);
  // One that is still under way when it is given up is refused by PostgreSQL, and its object is removed.
  let goOn = () => {};
  store.holdPuts(new Promise<void>((resolve) => (goOn = resolve)));
  const late = upload(PICTURES.gif, 'late.gif', { by: other });
  await until(async () => (await rowsOf('loose_objects')) === 1);
  await makeDue();
  expect(await sweep()).toBe(1);
  goOn();
  expect([(await late).status, (await late).body.code, store.objects.size]).toEqual([503, 'unavailable', 0]);
  store.holdPuts(Promise.resolve());
  // Two of one key at once are one file, and one object.
  const both = await Promise.all([1, 2].map(() => upload(PICTURES.gif, 'k.gif', { by: other, key: 'once' })));
  expect(both.map(({ status }) => status)).toEqual([201, 201]);
  expect(both[0]?.body.fileId).toBe(both[1]?.body.fileId);
  expect([[...store.objects.keys()], await rowsOf('loose_objects')]).toEqual([[`files/${both[0]?.body.fileId}`], 0]);
});

test('a process does not start without the store where there are images, nor with settings that it refuses', async () => {
  const { body } = await upload(PICTURES.gif, 'a.gif');
  const deps = { database: stack.db.database, log, metrics: stack.metrics };
  await expect(openObjects(deps, null)).rejects.toThrow('S3_ENDPOINT: must be set');
  const wrong = readConfig({ ...store.env, S3_SECRET_ACCESS_KEY: 'guessed' }).files.objects;
  await expect(openObjects(deps, wrong)).rejects.toThrow('the store answers GET 403 SignatureDoesNotMatch');
  store.fail({ status: 503 });
  expect(await openObjects(deps, readConfig(store.env).files.objects)).not.toBeNull();
  // Whatever statement deletes a file, its object is noted.
  store.fail(null);
  await run(sql`delete from files where object_hash is not null`);
  await sweep();
  expect([store.objects.has(`files/${body.fileId}`), await rowsOf('loose_objects')]).toEqual([false, 0]);
  expect(await openObjects(deps, null)).toBeNull();
});
