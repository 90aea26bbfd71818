import { brotliCompressSync, gzipSync } from 'node:zlib';
import type { Dice } from './dice.ts';
import { ODD_HEADERS, ODD_TEXTS } from './odd-values.ts';
import { jsonOf, textOf, type Known, type Schema } from './schema.ts';

/** What the service's OpenAPI document says, as far as requests are made from it. */
export interface ApiDocument {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, Schema>> };
}

interface Operation {
  readonly parameters?: readonly { readonly name: string; readonly in: string; readonly schema?: Schema }[];
  readonly requestBody?: { readonly content: Readonly<Record<string, { readonly schema: Schema }>> };
}

/** One thing to send. */
export interface Case {
  /** Written one after the other, with a moment in between. */
  readonly parts: readonly Buffer[];
  /** Whether it is one whole HTTP request, so that there must be an answer. */
  readonly whole: boolean;
}

const OTHER_PATHS = [
  '/',
  '/index.html',
  '/assets/x.js',
  '/api/docs',
  '/api/docs/swagger-ui.css',
  '/api/openapi.json',
  '/api/nope',
  '/api/docs/../x',
  '/%2e%2e/x',
  '//x',
  '*',
  '/api/admin/x',
  'http://x/health',
] as const;
const METHODS = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'HEAD', 'OPTIONS', 'TRACE', 'QUERY', 'PROPFIND'] as const;

const WORD: Schema = { type: 'string' };
const data: Schema = { type: 'object', properties: { orderId: WORD, paymentKey: WORD, status: WORD } };
/** What webhooks say that nobody signs. The document knows them as bytes. */
const HEARD: Readonly<Record<string, Schema>> = {
  '/api/webhooks/toss': {
    anyOf: [
      { type: 'object', properties: { eventType: WORD, data }, required: ['eventType', 'data'] },
      { type: 'object', properties: { orderId: WORD, secret: WORD }, required: ['orderId', 'secret'] },
    ],
  },
  '/api/webhooks/demo': {
    type: 'object',
    properties: { eventId: WORD, orderId: WORD },
    required: ['eventId', 'orderId'],
  },
};

/** @param keys bearer tokens, the first one of an admin. */
export function makeCase(document: ApiDocument, keys: readonly string[], dice: Dice, seen: readonly string[]): Case {
  const bytes = makeRequest(document, keys, dice, { schemas: document.components.schemas, seen });
  if (dice.says(0.75)) return { parts: [bytes], whole: true };
  return { parts: splitUp(spoil(bytes, dice), dice), whole: false };
}

function makeRequest(document: ApiDocument, keys: readonly string[], dice: Dice, known: Known): Buffer {
  const [template, operations] = dice.pick(Object.entries(document.paths));
  const [own, operation] = dice.pick(Object.entries(operations));
  const method = dice.says(0.1) ? dice.pick(METHODS) : own.toUpperCase();
  const path = dice.says(0.06) ? dice.pick(OTHER_PATHS) : pathOf(template, operation, dice, known);
  const headers = new Map<string, string>([['Host', '127.0.0.1']]);
  const key = dice.says(0.1)
    ? dice.pick(['', 'x', 'a.b.c', `tk_${'a'.repeat(43)}`, '\u{e9}'])
    : dice.pick([...keys, keys[0] ?? '']);
  if (!dice.says(0.05)) headers.set('Authorization', `${dice.says(0.03) ? 'Basic' : 'Bearer'} ${key}`);
  for (const { name, in: place, schema = {} } of operation.parameters ?? [])
    if (place === 'header' && dice.says(0.5)) headers.set(name, headerText(textOf(schema, dice, known)));
  for (let i = dice.below(4); i > 0; i -= 1) {
    const [name, values] = dice.pick(ODD_HEADERS);
    // These two decide where a body ends, so a whole request has them right.
    if (name !== 'Content-Length' && name !== 'Transfer-Encoding') headers.set(name, dice.pick(values));
  }
  headers.set('Connection', 'close');
  const body = bodyOf(schemaOf(operation) ?? HEARD[template], dice, known, headers);
  if (body.length > 0 || dice.says(0.5)) headers.set('Content-Length', String(body.length));
  const head = [`${method} ${path} HTTP/1.1`, ...[...headers].map(([name, value]) => `${name}: ${value}`), '', ''];
  return Buffer.concat([Buffer.from(head.join('\r\n'), 'latin1'), body]);
}

function pathOf(template: string, { parameters = [] }: Operation, dice: Dice, known: Known): string {
  const text = (schema: Schema = {}) => textOf(schema, dice, known);
  const named = (name: string) => parameters.find((each) => each.name === name)?.schema;
  const path = template.replaceAll(/\{(\w+)\}/g, (_, name: string) =>
    dice.says(0.05) ? dice.pick(['%ff', '%', '%00', '%c0%80', '..', '%2f']) : encode(text(named(name))),
  );
  const query = parameters
    .filter((each) => each.in === 'query' && dice.says(0.4))
    .map(({ name, schema }) => `${name}=${encode(text(schema))}`);
  if (dice.says(0.1))
    query.push(dice.pick(['a[b]=c', '&&', '=', '%ff=%ff', 'limit=1&limit=2', '__proto__=1', 'x'.repeat(4_000)]));
  return query.length === 0 ? path : `${path}?${query.join('&')}`;
}

/** A request line holds 16 KB at most, with the headers. */
function encode(text: string): string {
  return encodeURIComponent(text.slice(0, 1_000).toWellFormed());
}

function headerText(text: string): string {
  return text.replaceAll(/[^\x20-\x7e]/g, '?').slice(0, 3_000);
}

function schemaOf({ requestBody }: Operation): Schema | undefined {
  return Object.values(requestBody?.content ?? {})[0]?.schema;
}

function bodyOf(schema: Schema | undefined, dice: Dice, known: Known, headers: Map<string, string>): Buffer {
  if (schema === undefined && !dice.says(0.1)) return Buffer.alloc(0);
  if (!headers.has('Content-Type') && !dice.says(0.05)) headers.set('Content-Type', 'application/json');
  const json = schema === undefined ? dice.pick(ODD_TEXTS) : jsonOf(schema, dice, known);
  const plain = Buffer.from(dice.says(0.04) ? json.slice(0, dice.below(json.length + 1)) : json);
  if (dice.says(0.9)) return plain;
  const [encoding, packed] = dice.pick([
    ['gzip', gzipSync(plain)],
    ['br', brotliCompressSync(plain)],
    ['gzip', plain],
  ] as const);
  headers.set('Content-Encoding', encoding);
  return dice.says(0.3) ? packed.subarray(0, dice.below(packed.length + 1)) : packed;
}

/** Bytes that are perhaps no HTTP any more. */
function spoil(bytes: Buffer, dice: Dice): Buffer {
  switch (dice.below(8)) {
    case 0:
      return bytes.subarray(0, dice.below(bytes.length));
    case 1:
      return Buffer.concat(Array.from({ length: 1 + dice.below(40) }, () => bytes));
    case 2:
      return Buffer.from(Array.from({ length: dice.below(4_000) }, () => dice.below(256)));
    case 3:
      return Buffer.from(
        dice.pick([
          'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
          '\x16\x03\x01\x02\x00\x01',
          'GET / HTTP/9.9\r\n\r\n',
          'GET /health\r\n',
          '\r\n\r\n\r\n',
          'CONNECT x:1 HTTP/1.1\r\nHost: x\r\n\r\n',
        ]),
        'latin1',
      );
    case 4: {
      const [name, values] = dice.pick(ODD_HEADERS.slice(-2));
      return insert(bytes, bytes.indexOf('\r\n') + 2, Buffer.from(`${name}: ${dice.pick(values)}\r\n`));
    }
    case 5: {
      const chunks = dice.pick([
        'zz\r\nx\r\n',
        'ffffffffffffffff\r\nx',
        '-1\r\n',
        '5;a=b\r\n{"a":\r\n',
        '2\r\n{}\r\n0\r\nX: y\r\n\r\n',
        '0\r\n',
      ]);
      const head = bytes
        .subarray(0, bytes.indexOf('\r\n\r\n'))
        .toString('latin1')
        .replace(/\r\nContent-Length: \d+/, '');
      return Buffer.from(`${head}\r\nTransfer-Encoding: chunked\r\n\r\n${chunks}`, 'latin1');
    }
    default: {
      const spoilt = Buffer.from(bytes);
      for (let i = 1 + dice.below(8); i > 0; i -= 1) spoilt[dice.below(spoilt.length)] = dice.below(256);
      return dice.says(0.5)
        ? spoilt
        : insert(spoilt, dice.below(spoilt.length), Buffer.from([0, 13, 10, dice.below(256)]));
    }
  }
}

function insert(bytes: Buffer, at: number, more: Buffer): Buffer {
  return Buffer.concat([bytes.subarray(0, at), more, bytes.subarray(at)]);
}

function splitUp(bytes: Buffer, dice: Dice): Buffer[] {
  if (dice.says(0.6)) return [bytes];
  const at = dice.below(bytes.length + 1);
  return [bytes.subarray(0, at), bytes.subarray(at)];
}
