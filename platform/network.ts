import type { IncomingMessage } from 'node:http';
import { BlockList, isIP, isIPv4 } from 'node:net';

/** Addresses that nobody outside has: who comes from one is a proxy in front of us, or a neighbour. */
const INSIDE = new BlockList();
for (const [net, bits] of [
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.168.0.0', 16],
] as const)
  INSIDE.addSubnet(net, bits, 'ipv4');
for (const [net, bits] of [
  ['::1', 128],
  ['fc00::', 7],
  ['fe80::', 10],
] as const)
  INSIDE.addSubnet(net, bits, 'ipv6');

/**
 * The network from which a request came: what a person is shown of who used a key, and too little to be an address.
 * Behind a proxy it is the last address outside that `X-Forwarded-For` names. What stands before that one is the
 * sender's own word.
 * @returns `203.0.113.0/24` or `2001:db8:7::/48`; null when nothing is known.
 */
export function networkOf({ socket, headers }: Pick<IncomingMessage, 'socket' | 'headers'>): string | null {
  const peer = plainAddress(socket.remoteAddress ?? '');
  if (isIP(peer) === 0) return null;
  const forwarded = isInside(peer)
    ? String(headers['x-forwarded-for'] ?? '')
        .split(',')
        .map(plainAddress)
        .toReversed()
    : [];
  return truncate(forwarded.find((address) => isIP(address) !== 0 && !isInside(address)) ?? peer);
}

/** Without the zone, the brackets and the port that a proxy may add; an IPv4 address in its own form. */
export function plainAddress(address: string): string {
  const bare = address
    .trim()
    .replace(/^\[([^\]]+)\](:\d+)?$/, '$1')
    .replace(/%.*$/, '');
  const v4 = /^(?:::ffff:)?(\d+\.\d+\.\d+\.\d+)(?::\d+)?$/i.exec(bare)?.[1];
  return v4 ?? bare;
}

/** Whether an address is one that nobody outside has; what is no address is none. */
export function isInside(address: string): boolean {
  return isIP(address) !== 0 && INSIDE.check(address, isIPv4(address) ? 'ipv4' : 'ipv6');
}

function truncate(address: string): string {
  if (isIPv4(address)) return `${address.split('.').slice(0, 3).join('.')}.0/24`;
  // The URL writes an address in its one short form.
  const [head = '', tail] = new URL(`http://[${address}]`).hostname.slice(1, -1).split('::');
  const before = head === '' ? [] : head.split(':');
  const after = tail === undefined || tail === '' ? [] : tail.split(':');
  const all = [...before, ...Array<string>(8 - before.length - after.length).fill('0'), ...after];
  const first = all.slice(0, 3);
  while (first.at(-1) === '0') first.pop();
  return `${first.join(':')}::/48`;
}
