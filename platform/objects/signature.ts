import { createHash, createHmac } from 'node:crypto';

/** Who signs, and for which region. */
export interface Signer {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly region: string;
}

export interface ToSign {
  readonly method: string;
  /** Its path is signed as it stands. It has no query. */
  readonly url: URL;
  /** By lower-case name. Every one of them is signed. */
  readonly headers: Readonly<Record<string, string>>;
  /** SHA-256 of the body in hex: a store refuses a body that came as another. */
  readonly bodyHash: string;
  /** Milliseconds since the epoch. Stores take what is within 15 minutes of their own clock. */
  readonly at: number;
}

/**
 * AWS Signature Version 4 for S3, in headers
 * (https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html).
 * @returns all headers to send but `host`, which whoever sends them sets from the URL.
 */
export function signed({ method, url, headers, bodyHash, at }: ToSign, signer: Signer): Record<string, string> {
  const time = new Date(at).toISOString().replace(/[-:]|\.\d+/g, '');
  const scope = [time.slice(0, 8), signer.region, 's3', 'aws4_request'];
  const sent = { ...headers, 'x-amz-content-sha256': bodyHash, 'x-amz-date': time };
  const lines = Object.entries({ ...sent, host: url.host }).sort(([a], [b]) => (a < b ? -1 : 1));
  const names = lines.map(([name]) => name).join(';');
  const request = [
    ...[method, url.pathname, ''],
    ...lines.map(([name, value]) => `${name}:${value.trim()}`),
    ...['', names, bodyHash],
  ].join('\n');
  const text = ['AWS4-HMAC-SHA256', time, scope.join('/'), sha256(request)].join('\n');
  const key = scope.reduce<string | Buffer>((by, part) => hmac(by, part), `AWS4${signer.secretAccessKey}`);
  const credential = `${signer.accessKeyId}/${scope.join('/')}`;
  const signature = hmac(key, text).toString('hex');
  return {
    ...sent,
    authorization: `AWS4-HMAC-SHA256 Credential=${credential},SignedHeaders=${names},Signature=${signature}`,
  };
}

/** In hex. */
export function sha256(what: string | Uint8Array): string {
  return createHash('sha256').update(what).digest('hex');
}

function hmac(key: string | Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest();
}
