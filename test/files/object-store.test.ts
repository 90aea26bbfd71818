import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { readConfig } from '../../platform/config/config.ts';
import { createObjectStore, ObjectStoreAway, type ObjectStore } from '../../platform/objects/object-store.ts';
import { sha256, signed } from '../../platform/objects/signature.ts';
import { startFakeStore, type FakeStore } from '../support/s3.ts';

let store: FakeStore;
let tries: string[] = [];
const open = (env: Partial<FakeStore['env']> = {}): ObjectStore =>
  createObjectStore(readConfig({ ...store.env, ...env }).files.objects!, (method, failure) =>
    tries.push(failure?.message ?? `${method} done`),
  );
beforeAll(async () => {
  store = await startFakeStore();
});
afterEach(() => {
  store.fail(null);
  tries = [];
});
afterAll(() => store.close());

const image = Buffer.from('the bytes of an image');
const figures = { bytes: image.length, hash: sha256(image) };
const refusal = (work: Promise<unknown>) =>
  work.then(
    () => null,
    (error: unknown) => {
      if (!(error instanceof ObjectStoreAway)) throw error;
      return error;
    },
  );

test('a request is signed as AWS’s own examples say', () => {
  const signer = {
    accessKeyId: 'AKIAIOSFODNN7EXAMPLE',
    secretAccessKey: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY',
    region: 'us-east-1',
  };
  const at = Date.parse('2013-05-24T00:00:00Z');
  const of = (method: string, path: string, headers: Record<string, string>, body: string) =>
    signed(
      { method, url: new URL(`https://examplebucket.s3.amazonaws.com${path}`), headers, bodyHash: sha256(body), at },
      signer,
    )['authorization'];
  // The first two of https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html
  expect(of('GET', '/test.txt', { range: 'bytes=0-9' }, '')).toBe(
    'AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request,SignedHeaders=host;range;x-amz-content-sha256;x-amz-date,Signature=f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41',
  );
  const put = { date: 'Fri, 24 May 2013 00:00:00 GMT', 'x-amz-storage-class': 'REDUCED_REDUNDANCY' };
  expect(of('PUT', '/test%24file.text', put, 'Welcome to Amazon S3.')).toMatch(
    /SignedHeaders=date;host;x-amz-content-sha256;x-amz-date;x-amz-storage-class,Signature=98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd$/,
  );
});

test('an object is put, read as it was put, and removed however often', async () => {
  const objects = open();
  await objects.look({ withinMs: 5_000 });
  await objects.put('files/1', { bytes: image, hash: figures.hash, mediaType: 'image/png' });
  expect(store.objects.get('files/1')).toEqual({ bytes: image, type: 'image/png' });
  expect(await objects.get('files/1', figures)).toEqual(image);
  await objects.remove('files/1');
  await objects.remove('files/1');
  expect(store.objects.size).toBe(0);
  expect(await refusal(objects.get('files/1', figures))).toMatchObject({ message: 'GET 404 NoSuchKey' });
});

test('what the store answers in everyday operation is asked again, and what will not help is not', async () => {
  const objects = open();
  const put = () => objects.put('files/2', { bytes: image, hash: figures.hash, mediaType: 'image/png' });
  store.fail({ status: 503, code: 'SlowDown' }, 2);
  await put();
  expect(tries).toEqual(['PUT 503 SlowDown', 'PUT 503 SlowDown', 'PUT done']);
  for (const [fault, message, times] of [
    [{ status: 500, code: 'InternalError' }, 'GET 500 InternalError', 3],
    [{ status: 403, code: 'AccessDenied' }, 'GET 403 AccessDenied', 1],
    // No signature goes elsewhere.
    [{ status: 307, location: `${store.env.S3_ENDPOINT}/elsewhere` }, 'GET 307', 1],
    [{ status: 301, code: 'PermanentRedirect' }, 'GET 301 PermanentRedirect', 1],
    ['cut', 'GET no answer', 3],
    ['spoilt', 'GET 200 with other bytes than were put', 3],
  ] as const) {
    store.fail(fault);
    tries = [];
    expect([(await refusal(objects.get('files/2', figures)))?.message, tries.length]).toEqual([message, times]);
  }
  store.fail('silent');
  const began = performance.now();
  expect((await refusal(objects.remove('files/2', { withinMs: 200 })))?.message).toBe('DELETE no answer');
  expect(performance.now() - began).toBeLessThan(5_000);
  store.fail('cut', 1);
  expect(await objects.get('files/2', figures)).toEqual(image);
});

test('settings that the store refuses are told from a store that is away, and bytes that changed are not taken', async () => {
  for (const [env, message] of [
    [{ S3_SECRET_ACCESS_KEY: 'guessed' }, 'GET 403 SignatureDoesNotMatch'],
    [{ S3_ACCESS_KEY_ID: 'AKOTHER' }, 'GET 403 InvalidAccessKeyId'],
    [{ S3_REGION: 'us-east-1' }, 'GET 403 AuthorizationHeaderMalformed'],
    [{ S3_BUCKET: 'another' }, 'GET 404 NoSuchBucket'],
  ] as const)
    expect(await refusal(open(env).look({ withinMs: 5_000 }))).toMatchObject({ message, hasWrongSettings: true });
  const nobody = await refusal(open({ S3_ENDPOINT: 'http://127.0.0.1:9' }).look({ withinMs: 5_000 }));
  expect([nobody?.message, nobody?.hasWrongSettings, nobody?.isRefused]).toEqual(['GET no answer', false, false]);
  const lied = open().put('files/3', { bytes: image, hash: sha256('others'), mediaType: 'image/png' });
  expect(await refusal(lied)).toMatchObject({ message: 'PUT 400 XAmzContentSHA256Mismatch', isRefused: true });
  expect(store.objects.has('files/3')).toBe(false);
});

test('its settings are whole or none, and a mistake is named without what is secret', () => {
  const whole = store.env;
  expect(readConfig({}).files.objects).toBeNull();
  expect(readConfig({ ...whole, S3_ENDPOINT: 'https://s3.example/storage/v1/' }).files.objects?.endpoint).toBe(
    'https://s3.example/storage/v1',
  );
  for (const [env, name] of [
    ...(['S3_BUCKET', 'S3_ACCESS_KEY_ID', 'S3_SECRET_ACCESS_KEY'] as const).flatMap((name) => [
      [{ ...whole, [name]: '' }, name],
      [{ [name]: whole[name] }, `${name}: means nothing`],
    ]),
    [{ ...whole, S3_ENDPOINT: 'https://me:pass@s3.example' }, 'S3_ENDPOINT'],
    [{ ...whole, S3_ENDPOINT: 'https://s3.example/?a=b' }, 'S3_ENDPOINT'],
    [{ ...whole, S3_ENDPOINT: 'ftp://s3.example' }, 'S3_ENDPOINT'],
    [{ ...whole, S3_BUCKET: 'No/Bucket' }, 'S3_BUCKET'],
    [{ ...whole, S3_REGION: 'a/b' }, 'S3_REGION'],
    [{ ...whole, S3_ACCESS_KEY_ID: 'a,b' }, 'S3_ACCESS_KEY_ID'],
  ] as [Record<string, string>, string][]) {
    expect(() => readConfig(env)).toThrow(name);
    expect(() => readConfig(env)).not.toThrow(/secret-of-the-store|pass@/);
  }
});
