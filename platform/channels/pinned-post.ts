import { lookup } from 'node:dns/promises';
import { request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import { isIP } from 'node:net';
import { within } from '../deadline.ts';
import { isPublicAddress } from './public-address.ts';

export interface Post {
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** The operator allows this host: it may be private, and need no TLS. */
  readonly isAllowed: boolean;
}

/** Every address of a name. */
type Resolve = (host: string) => Promise<readonly { readonly address: string }[]>;

/** The address is not one to call: private, or without TLS. */
class NotPublic extends Error {
  override readonly name = 'NotPublic';
}

const WITHIN_MS = 10_000;

/**
 * Posts once, to an address that was looked at: the name is resolved here, every one of its addresses has to be public,
 * and the connection goes to one of those very addresses, so that a name that changes meanwhile leads nowhere else. No
 * redirect is followed, and of the answer only its status is taken.
 * @returns the status.
 * @throws NotPublic, or what the network says, within 10 s.
 */
export async function postPinned(
  { url, headers, body, isAllowed }: Post,
  resolve: Resolve = (host) => lookup(host, { all: true }),
): Promise<number> {
  const signal = AbortSignal.timeout(WITHIN_MS);
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1');
  if (url.protocol !== 'https:' && !isAllowed) throw new NotPublic('without TLS');
  const addresses = isIP(host) === 0 ? await within(WITHIN_MS, resolve(host)) : [{ address: host }];
  // Not every machine has a way out by IPv6.
  const first = addresses.find(({ address }) => isIP(address) === 4) ?? addresses[0];
  if (first === undefined) throw new Error('the name has no address');
  if (!isAllowed && !addresses.every(({ address }) => isPublicAddress(address)))
    throw new NotPublic('a private address');
  const isTls = url.protocol === 'https:';
  const bytes = Buffer.from(body);
  const options = {
    host: first.address,
    port: url.port === '' ? (isTls ? 443 : 80) : Number(url.port),
    method: 'POST',
    path: `${url.pathname}${url.search}`,
    headers: { ...headers, host: url.host, 'content-length': String(bytes.length) },
    agent: false,
    signal,
    // What it sends beyond a head is not read, and a head is small.
    maxHeaderSize: 16_384,
  } as const;
  return new Promise((settle, reject) => {
    const answered = (response: { statusCode?: number | undefined; destroy(): void }) => {
      const { statusCode = 0 } = response;
      response.destroy();
      settle(statusCode);
    };
    const sent = isTls
      ? requestHttps({ ...options, ...(isIP(host) === 0 ? { servername: host } : {}) }, answered)
      : requestHttp(options, answered);
    sent.on('error', reject);
    sent.end(bytes);
  });
}
