import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

const [KEY, SECRET, BUCKET, REGION] = ['AKTEST', 'secret-of-the-store', 'files-of-turnkeeper', 'ap-northeast-2'];

/** What may be wrong with a store, until it is null again. */
export type StoreFault =
  | { readonly status: number; readonly code?: string; readonly location?: string }
  /** Takes the request and never answers. */
  | 'silent'
  /** Sends half of an object, and hangs up. */
  | 'cut'
  /** Sends an object with a byte that is another. */
  | 'spoilt';

/** A store at the socket that speaks S3 and believes no request whose signature it cannot make itself. */
export interface FakeStore {
  readonly env: Record<'S3_ENDPOINT' | 'S3_BUCKET' | 'S3_REGION' | 'S3_ACCESS_KEY_ID' | 'S3_SECRET_ACCESS_KEY', string>;
  readonly objects: Map<string, { readonly bytes: Buffer; readonly type: string }>;
  /** How each request was answered: `PUT 200`, `GET 403 SignatureDoesNotMatch`. */
  readonly answered: string[];
  /** @param times so often only; for good unless told. */
  fail(fault: StoreFault | null, times?: number): void;
  /** Waits inside every PUT until the promise is settled. */
  holdPuts(until: Promise<unknown>): void;
  close(): Promise<void>;
}

export async function startFakeStore(): Promise<FakeStore> {
  const objects: FakeStore['objects'] = new Map();
  const answered: string[] = [];
  let [fault, left]: [StoreFault | null, number] = [null, 0];
  let held: Promise<unknown> = Promise.resolve();
  const server = createServer((request, response) => void answer(request, response).catch(() => response.destroy()));
  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const parts: Buffer[] = [];
    for await (const part of request) parts.push(part as Buffer);
    const bytes = Buffer.concat(parts);
    const now = fault;
    if (now !== null && (left -= 1) <= 0) fault = null;
    if (now === 'silent') return;
    const say = (status: number, code?: string, headers: Record<string, string> = {}) => {
      answered.push([request.method, status, code].filter((part) => part !== undefined).join(' '));
      const error = `<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>${code}</Code><Message>no</Message></Error>`;
      response.writeHead(status, headers).end(code === undefined ? undefined : error);
    };
    if (typeof now === 'object' && now !== null)
      return say(now.status, now.code, now.location === undefined ? {} : { location: now.location });
    const wrong = findWrong(request, bytes);
    if (wrong !== null) return say(wrong === 'XAmzContentSHA256Mismatch' ? 400 : 403, wrong);
    const [, bucket, ...rest] = (request.url ?? '').split('/');
    const key = rest.join('/');
    if (bucket !== BUCKET) return say(404, 'NoSuchBucket');
    if (request.method === 'PUT') {
      await held;
      objects.set(key, { bytes, type: String(request.headers['content-type']) });
      return say(200);
    }
    if (request.method === 'DELETE') {
      objects.delete(key);
      return say(204);
    }
    const found = objects.get(key);
    if (found === undefined) return say(404, 'NoSuchKey');
    answered.push(`GET 200${now === null ? '' : ` ${now}`}`);
    response.writeHead(200, { 'content-type': found.type, 'content-length': String(found.bytes.length) });
    if (now === 'cut') {
      response.write(found.bytes.subarray(0, found.bytes.length >> 1), () => response.destroy());
      return;
    }
    const sent = Buffer.from(found.bytes);
    if (now === 'spoilt') sent[0] = ~(sent[0] ?? 0) & 0xff;
    response.end(sent);
  }
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    env: {
      S3_ENDPOINT: `http://127.0.0.1:${port}`,
      S3_BUCKET: BUCKET,
      S3_REGION: REGION,
      S3_ACCESS_KEY_ID: KEY,
      S3_SECRET_ACCESS_KEY: SECRET,
    },
    objects,
    answered,
    fail(next, times = Infinity) {
      [fault, left] = [next, times];
    },
    holdPuts(until) {
      held = until;
    },
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/**
 * AWS Signature Version 4, made anew from the bytes that came and the header's own list of what is signed
 * (https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html).
 * @returns S3's code for what is wrong, or null.
 */
function findWrong(request: IncomingMessage, body: Buffer): string | null {
  const authorization = String(request.headers.authorization ?? '');
  if (authorization === '') return 'AccessDenied';
  const fields = /^AWS4-HMAC-SHA256 Credential=([^/,]+)\/([^,]+), ?SignedHeaders=([^,]+), ?Signature=([0-9a-f]{64})$/;
  const [, key, scope = '', names = '', signature = ''] = fields.exec(authorization) ?? [];
  if (key !== KEY) return 'InvalidAccessKeyId';
  const [day = '', region = '', ...service] = scope.split('/');
  if (region !== REGION || service.join('/') !== 's3/aws4_request') return 'AuthorizationHeaderMalformed';
  const header = (name: string) => String(request.headers[name] ?? '').trim();
  const time = header('x-amz-date');
  const at = Date.parse(time.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, '$1-$2-$3T$4:$5:$6Z'));
  if (!(Math.abs(at - Date.now()) <= 15 * 60_000) || !time.startsWith(day)) return 'RequestTimeTooSkewed';
  const signed = names.split(';');
  // Whatever is ours must be signed, or somebody between could change it.
  const must = ['host', ...Object.keys(request.headers).filter((name) => name.startsWith('x-amz-'))];
  if (request.method === 'PUT') must.push('content-type');
  if (must.some((name) => !signed.includes(name))) return 'AccessDenied';
  const canonical = [
    `${request.method}\n${(request.url ?? '').split('?')[0]}\n${(request.url ?? '').split('?')[1] ?? ''}`,
    ...signed.map((name) => `${name}:${header(name)}`),
    `\n${names}\n${header('x-amz-content-sha256')}`,
  ].join('\n');
  const digest = createHash('sha256').update(canonical).digest('hex');
  let by: string | Buffer = `AWS4${SECRET}`;
  for (const part of [day, region, 's3', 'aws4_request']) by = createHmac('sha256', by).update(part).digest();
  const made = createHmac('sha256', by).update(`AWS4-HMAC-SHA256\n${time}\n${scope}\n${digest}`).digest();
  if (!timingSafeEqual(made, Buffer.from(signature.padStart(64, '0'), 'hex'))) return 'SignatureDoesNotMatch';
  const claimed = header('x-amz-content-sha256');
  return claimed === createHash('sha256').update(body).digest('hex') ? null : 'XAmzContentSHA256Mismatch';
}
