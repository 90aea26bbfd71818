import { BUCKETS, MOST_DAYS } from '../domain/failure-buckets.ts';

/** One request, as its sender writes it. */
export interface Asked {
  readonly method: string;
  /** The path of each time in turn, from the first on again after the last. */
  readonly paths: readonly string[];
  readonly body?: string | Uint8Array;
  readonly headers?: Record<string, string>;
}

/** What the seeded database has, for paths with an id. */
export interface Known {
  readonly conversationId: string;
  readonly turnId: string;
  readonly userId: number;
  /** Long conversations to delete, one for each time. */
  readonly doomed: readonly string[];
  /** Of a link to a copy of the long conversation. */
  readonly token?: string;
}

export interface Operation {
  readonly method: string;
  /** With `{name}` for each parameter. */
  readonly path: string;
  readonly takesBody: boolean;
}

/** The most that a body may have, a little less for what stands around it. */
const MOST_BODY = 256 * 1024 - 200;

/** Han characters that no token joins: the worst for a tokenizer, three bytes each. */
export function han(length: number): string {
  return Array.from({ length }, (_, n) => String.fromCharCode(0x4e00 + ((n * 7919) % 0x5000))).join('');
}

const daysAgo = (days: number) => new Date(Date.now() - days * 86_400_000).toISOString();

/** The worst queries that a route's schema lets through; other routes are asked without one. */
const QUERIES: Record<string, readonly string[]> = {
  'get /api/conversations': [
    'limit=100&archived=all',
    `limit=100&search=${encodeURIComponent('대')}`,
    `search=${encodeURIComponent(han(200))}`,
  ],
  'get /api/conversations/{conversationId}/messages': ['limit=100', 'limit=100&order=desc'],
  'get /api/conversations/{conversationId}/export': ['format=markdown', 'format=json'],
  'get /api/ai-usage/history': ['by=turn&limit=100', 'by=day&limit=100', 'by=model&limit=100'],
  'get /api/notifications': ['limit=100'],
  'get /api/admin/turns': ['limit=100', 'limit=100&from=1970-01-01T00:00:00Z&to=2999-12-31T00:00:00Z'],
  'get /api/admin/turns/failures': [
    ...BUCKETS.map((bucket) => `bucket=${bucket}&from=${daysAgo(MOST_DAYS[bucket])}&to=${daysAgo(0)}`),
    'bucket=day&from=1970-01-01T00:00:00Z&to=2999-12-31T00:00:00Z',
  ],
  'get /api/admin/users': ['limit=100', `email=${'a'.repeat(200)}`],
  'get /api/admin/users/{userId}': ['limit=100'],
  'get /api/admin/audit': ['limit=100'],
  'get /api/admin/redrives': ['limit=100'],
};

/** The worst headers, for answers in another form. */
const HEADERS: Record<string, readonly Record<string, string>[]> = {
  'get /api/ai-usage/history': [{ accept: 'text/csv' }],
};

/** Bodies that are taken, as large as they may be. */
function taken(key: string, known: Known): readonly string[] {
  switch (key) {
    case 'post /api/chat/send':
      return [
        JSON.stringify({ message: han(32_000), maxOutputTokens: 1 }),
        JSON.stringify({ message: '한'.repeat(32_000), maxOutputTokens: 1 }),
        JSON.stringify({ message: han(32_000), conversationId: known.conversationId.replace(/.$/, 'f') }),
      ];
    case 'post /api/conversations/{conversationId}/shares':
      return ['{}'];
    case 'post /v1/chat/completions':
      return [JSON.stringify({ model: 'gpt-4.1-mini', messages: [{ role: 'user', content: han(250_000) }] })];
    case 'post /api/conversations':
      return [JSON.stringify({ title: han(200) })];
    case 'patch /api/conversations/{conversationId}':
      return [JSON.stringify({ title: han(200) })];
    case 'post /api/admin/turns/replay':
      return [
        JSON.stringify({
          filter: { from: '1970-01-01T00:00:00Z', to: '2999-12-31T00:00:00Z' },
          reason: 'r',
          dryRun: true,
        }),
      ];
    default:
      return [];
  }
}

/** Bodies as large, as deep and as full as any route reads before it refuses them. */
const REFUSED: Record<string, string> = {
  'one string': JSON.stringify({ message: 'x'.repeat(MOST_BODY) }),
  'spaces around a word': JSON.stringify({ message: `${' '.repeat(MOST_BODY / 2)}a${' '.repeat(MOST_BODY / 2 - 10)}` }),
  'as deep as it goes': `{"message":${'['.repeat(MOST_BODY / 2)}${']'.repeat(MOST_BODY / 2)}}`,
  'as many names as it holds': `{${Array.from({ length: 20_000 }, (_, n) => `"k${n}":1`).join(',')}}`,
  'one endless number': `{"maxOutputTokens":${'9'.repeat(MOST_BODY)}}`,
};

const DELETES_CONVERSATION = 'delete /api/conversations/{conversationId}';

/** @returns the requests that are worst for an operation by size, count, depth and range, each with its name. */
export function worstOf({ method, path, takesBody }: Operation, known: Known): [string, Asked][] {
  const key = `${method} ${path}`;
  const ids = key === DELETES_CONVERSATION ? known.doomed : [known.conversationId];
  const paths = ids.map((conversationId) =>
    path.replaceAll(/\{(\w+)\}/g, (_whole, name: string) => {
      const { doomed: _, ...values } = { ...known, conversationId };
      return String(values[name as keyof typeof values] ?? '1');
    }),
  );
  const asked = (more: Partial<Asked> & { query?: string }): Asked => ({
    method: method.toUpperCase(),
    paths: more.query === undefined ? paths : paths.map((filled) => `${filled}?${more.query}`),
    ...(more.body === undefined ? {} : { body: more.body }),
    ...(more.headers === undefined ? {} : { headers: more.headers }),
  });
  const requests: [string, Asked][] = [
    ...(QUERIES[key] ?? []).map((query): [string, Asked] => [query.slice(0, 40), asked({ query })]),
    ...(HEADERS[key] ?? []).map((headers): [string, Asked] => [Object.values(headers).join(), asked({ headers })]),
    ...taken(key, known).map((body, n): [string, Asked] => [`largest body ${n + 1}`, asked({ body })]),
    ...(takesBody ? Object.entries(REFUSED).map(([name, body]): [string, Asked] => [name, asked({ body })]) : []),
  ];
  return requests.length === 0 ? [['', asked({})]] : requests;
}
