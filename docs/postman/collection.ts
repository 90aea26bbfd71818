/** The parts of a schema that are used here. */
interface Schema {
  readonly $ref?: string;
  readonly type?: string | readonly string[];
  readonly example?: unknown;
  readonly examples?: readonly unknown[];
  readonly default?: unknown;
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly format?: string;
  readonly minimum?: number;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly items?: Schema;
  readonly anyOf?: readonly Schema[];
}

interface Operation {
  readonly operationId?: string;
  readonly summary: string;
  readonly tags?: readonly string[];
  readonly security?: readonly unknown[];
  readonly parameters?: readonly {
    readonly in: string;
    readonly name: string;
    readonly required?: boolean;
    readonly schema?: Schema;
    readonly description?: string;
  }[];
  readonly requestBody?: { readonly content: { readonly 'application/json'?: { readonly schema: Schema } } };
  readonly responses: Readonly<Record<string, { readonly description?: string }>>;
}

export interface OpenApi {
  readonly info: { readonly title: string; readonly description?: string };
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components?: { readonly schemas?: Readonly<Record<string, Schema>> };
}

/** The parts of a Postman collection 2.1 that are written here. */
export interface Collection {
  readonly info: { readonly name: string; readonly description: string; readonly schema: string };
  readonly auth: object;
  readonly variable: readonly { readonly key: string; readonly value: string }[];
  readonly item: readonly { readonly name: string; readonly item: readonly Item[] }[];
}

export interface Item {
  readonly name: string;
  readonly event: readonly {
    readonly listen: string;
    readonly script: { readonly type: string; readonly exec: readonly string[] };
  }[];
  readonly request: {
    readonly method: string;
    readonly description: string;
    readonly auth?: object;
    readonly header: readonly {
      readonly key: string;
      readonly value: string;
      readonly disabled?: boolean;
      readonly description?: string;
    }[];
    readonly url: string;
    readonly body?: { readonly mode: 'raw'; readonly raw: string; readonly options: object };
  };
}

const BEARER = (variable: string) => ({
  type: 'bearer',
  bearer: [{ key: 'token', value: `{{${variable}}}`, type: 'string' }],
});
/** What a body needs in addition to its schema to be a request that works. */
const BODIES: Readonly<Record<string, object>> = {
  'POST /api/admin/turns/replay': {
    filter: { code: 'model_unavailable' },
    reason: 'the provider is back',
    dryRun: true,
  },
  'POST /api/chat/send': { message: '안녕하세요' },
  'POST /api/ai-usage/test-usage': { userId: '{{userId}}', usagePercent: 50 },
};

/** Bodies that are no JSON. */
const FILES: Readonly<Record<string, string>> = { 'POST /api/files': '안녕하세요' };

/**
 * Every call of the API, in folders by tag, with example bodies. Whoever imports it fills in `baseUrl`, `token` and
 * `adminToken`.
 */
export function collectionOf(document: OpenApi): Collection {
  const items = Object.entries(document.paths).flatMap(([path, operations]) =>
    Object.entries(operations).map(([method, operation]) => ({
      tag: operation.tags?.[0] ?? 'Other',
      item: itemOf(document, path, method.toUpperCase(), operation),
    })),
  );
  const ids = [
    ...new Set(
      items.flatMap(({ item }) => [...JSON.stringify(item).matchAll(/\{\{(\w+)\}\}/g)].map(([, name = '']) => name)),
    ),
  ];
  const variables = [...new Set(['baseUrl', 'token', 'adminToken', ...ids])];
  return {
    info: {
      name: `${document.info.title}: token management`,
      description: document.info.description ?? '',
      schema: 'https://schema.getpostman.com/json/collection/v2.1.0/collection.json',
    },
    auth: BEARER('token'),
    variable: variables.map((key) => ({ key, value: key === 'baseUrl' ? 'http://127.0.0.1:3000' : '' })),
    item: [...Map.groupBy(items, ({ tag }) => tag)].map(([name, group]) => ({
      name,
      item: group.map(({ item }) => item),
    })),
  };
}

function itemOf(document: OpenApi, path: string, method: string, operation: Operation): Item {
  const { parameters = [], responses, security, requestBody } = operation;
  const schema = requestBody?.content['application/json']?.schema;
  const body = schema === undefined ? undefined : (BODIES[`${method} ${path}`] ?? exampleOf(document, schema));
  const file = FILES[`${method} ${path}`];
  const admin = path.startsWith('/api/admin') || path === '/metrics';
  const statuses = Object.keys(responses)
    .map(Number)
    .sort((a, b) => a - b);
  return {
    name: `${method} ${path}`,
    event: [
      {
        listen: 'test',
        script: {
          type: 'text/javascript',
          exec: [
            `pm.test('answers as documented', () => pm.expect([${statuses.join(', ')}]).to.include(pm.response.code));`,
            ...(path === '/api/chat/send'
              ? [
                  'const { turnId, conversationId } = pm.response.json();',
                  "pm.collectionVariables.set('turnId', turnId);",
                  "pm.collectionVariables.set('conversationId', conversationId);",
                ]
              : []),
            ...(file === undefined ? [] : ["pm.collectionVariables.set('fileId', pm.response.json().fileId);"]),
          ],
        },
      },
    ],
    request: {
      method,
      description: `${operation.summary}\n\n${Object.entries(responses)
        .map(([status, { description = '' }]) => `${status}: ${description}`)
        .join('\n')}`,
      ...(security?.length === 0 ? { auth: { type: 'noauth' } } : admin ? { auth: BEARER('adminToken') } : {}),
      header: [
        ...(body === undefined ? [] : [{ key: 'Content-Type', value: 'application/json' }]),
        ...parameters
          .filter(({ in: where, name }) => where === 'header' && name !== 'Content-Type')
          .map(({ name, required = false, description = '' }) => ({
            key: name,
            value: required ? '{{$guid}}' : '',
            disabled: !required,
            description,
          })),
      ],
      url: `{{baseUrl}}${path.replaceAll(/\{(\w+)\}/g, '{{$1}}')}`,
      ...(file === undefined ? {} : { body: { mode: 'raw', raw: file, options: { raw: { language: 'text' } } } }),
      ...(body === undefined
        ? {}
        : {
            body: {
              mode: 'raw',
              raw: JSON.stringify(body, null, 2).replaceAll('"{{userId}}"', '{{userId}}'),
              options: { raw: { language: 'json' } },
            },
          }),
    },
  };
}

/** A value that the schema accepts: its own example, else the smallest one. */
export function exampleOf(document: OpenApi, schema: Schema): unknown {
  if (schema.$ref !== undefined)
    return exampleOf(document, document.components?.schemas?.[schema.$ref.split('/').at(-1) ?? ''] ?? {});
  const given = schema.example ?? schema.examples?.[0] ?? schema.const ?? schema.default ?? schema.enum?.[0];
  if (given !== undefined) return given;
  if (schema.anyOf?.[0] !== undefined) return exampleOf(document, schema.anyOf[0]);
  const type = typeof schema.type === 'string' ? schema.type : schema.type?.[0];
  if (type === 'object' || schema.properties !== undefined) {
    const { required = [], properties = {} } = schema;
    const shown =
      required.length > 0
        ? Object.entries(properties).filter(([name]) => required.includes(name))
        : Object.entries(properties).slice(0, 1);
    return Object.fromEntries(shown.map(([name, property]) => [name, exampleOf(document, property)]));
  }
  if (type === 'array') return schema.items === undefined ? [] : [exampleOf(document, schema.items)];
  if (type === 'integer' || type === 'number') return Math.max(1, schema.minimum ?? 1);
  if (type === 'boolean') return true;
  if (schema.format === 'date-time') return '2026-11-30T15:00:00.000Z';
  return schema.format === 'uuid' ? '00000000-0000-7000-8000-000000000000' : 'text';
}
