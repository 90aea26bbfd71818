import { z } from 'zod';
import {
  createDocument,
  createSchema,
  type ZodOpenApiOperationObject,
  type ZodOpenApiPathsObject,
  type ZodOpenApiResponsesObject,
} from 'zod-openapi';
import type { ErrorCode } from '../../domain/errors.ts';
import { BODY_ERRORS } from '../http/body.ts';
import { FLAT_ENVELOPE } from '../http/errors.ts';
import { isUpload, needOf, type Answer, type Route } from '../http/route.ts';
import { accountEvents } from '../wire/account-events.ts';
import { streamEvents } from '../wire/turn.ts';

const BEARER =
  'An API key of Turnkeeper (`Authorization: Bearer tk_…`), or an access token of the OIDC issuer that this installation trusts: a JWT for its audience. ' +
  '`GET /api/auth/options` names the provider. 401 for whatever is wrong with either; 503 while the issuer’s keys cannot be had.';

/** The OpenAPI 3.1 document of the routes, from the schemas that validate them. */
export function describeApi(routes: readonly Route[]) {
  const paths: ZodOpenApiPathsObject = {};
  for (const route of routes) {
    const path = route.path.replaceAll(/:(\w+)/g, '{$1}');
    paths[path] = { ...paths[path], [route.method]: describeRoute(route) };
  }
  const document = createDocument({
    openapi: '3.1.0',
    info: {
      title: 'Turnkeeper',
      version: '1',
      description:
        'A token-metered AI chat service. Every error is `{code, message, requestId, …}` with a code of the closed list `ErrorCode`. ' +
        'A turn streams as server-sent events; `components.schemas` describes the `data` of each (`AcceptedEvent`, `DeltaEvent`, …).',
    },
    security: [{ bearer: [] }],
    paths,
    components: {
      securitySchemes: { bearer: { type: 'http', scheme: 'bearer', bearerFormat: 'tk_… or JWT', description: BEARER } },
    },
  });
  return {
    ...document,
    components: { ...document.components, schemas: { ...document.components?.schemas, ...EVENTS } },
  };
}

/**
 * The events of streams have a registry of their own: registered in the document, they would add each schema a second
 * time, as one of a request.
 */
const EVENTS = Object.assign(
  {},
  ...[...Object.values(streamEvents), accountEvents.turn].map(
    (schema) => createSchema(schema, { io: 'output' }).components,
  ),
) as Record<string, object>;

function describeRoute(route: Route): ZodOpenApiOperationObject {
  const answers = Object.entries(route.answers).map(([status, answer]) => [status, describeAnswer(answer)]);
  return {
    operationId: `${route.method}${route.path.replace('/api', '').replaceAll(/[/:-]+(\w)/g, (_, letter: string) => letter.toUpperCase())}`,
    summary: route.summary,
    tags: [route.tag],
    requestParams: {
      ...(route.params === undefined ? {} : { path: route.params }),
      ...(route.query === undefined ? {} : { query: route.query }),
      ...(route.headers === undefined ? {} : { header: route.headers }),
    },
    ...(isOpen(route) ? { security: [] } : {}),
    ...describeBody(route),
    responses: { ...Object.fromEntries(answers), ...describeErrors(route) },
  };
}

function describeAnswer({ description, body, text, binary, stream, csv, pdf }: Answer) {
  return {
    description,
    content: {
      ...(body === undefined ? {} : { 'application/json': { schema: body } }),
      ...(binary === true ? { '*/*': { schema: BINARY } } : {}),
      ...(text === undefined ? {} : { [text]: { schema: z.string() } }),
      ...(stream === true
        ? {
            'text/event-stream': {
              schema: z.string().meta({ description: '`id`, `event` and `data` lines; comments every 15 s' }),
            },
          }
        : {}),
      ...(csv === undefined ? {} : { 'text/csv': { schema: z.string().meta({ description: csv }) } }),
      ...(pdf === undefined
        ? {}
        : { 'application/pdf': { schema: z.string().meta({ format: 'binary', description: pdf }) } }),
    },
  };
}

function describeBody(route: Route): Pick<ZodOpenApiOperationObject, 'requestBody'> {
  if (route.access === 'webhook') return { requestBody: { content: { '*/*': { schema: BINARY } } } };
  if (isUpload(route)) return { requestBody: { required: true, content: { '*/*': { schema: BINARY } } } };
  const { body } = route;
  return body === undefined
    ? {}
    : {
        requestBody: {
          required: !body.safeParse({}).success,
          content: { 'application/json': { schema: body } },
        },
      };
}

const BINARY = z.string().meta({ format: 'binary' });

/** One response for each status, which names its codes. */
function describeErrors(route: Route): ZodOpenApiResponsesObject {
  const { statusOf, schemaOf } = route.envelope ?? FLAT_ENVELOPE;
  const byStatus = Map.groupBy(new Set([...doorErrors(route), ...route.errors]), (code) => statusOf[code]);
  return Object.fromEntries(
    [...byStatus].map(([status, group]) => [
      String(status),
      {
        description: group.join(', '),
        ...(RETRY_AFTER.has(status)
          ? { headers: z.object({ 'Retry-After': z.string().optional().meta({ description: 'Seconds' }) }) }
          : {}),
        content: { 'application/json': { schema: schemaOf(group) } },
      },
    ]),
  ) as ZodOpenApiResponsesObject;
}

/** Codes that are refused before a route's own code runs, and those with which any code may fail. */
function doorErrors(route: Route): readonly ErrorCode[] {
  const { access, params, query, body } = route;
  return [
    ...(isOpen(route) ? [] : (['unauthorized', 'unavailable'] as const)),
    ...(access === 'admin' ? (['forbidden'] as const) : access === 'user' ? scopeErrors(route) : []),
    ...(route.limit === undefined || route.limit === 'none' ? [] : (['rate_limited'] as const)),
    ...(access === 'webhook' || body !== undefined ? BODY_ERRORS : isUpload(route) ? UPLOAD_ERRORS : []),
    // A path may contain `%ff`, which is no text.
    ...([params, query, body].every((part) => part === undefined) ? [] : (['invalid_request'] as const)),
    'internal',
  ];
}

/** What a key that a person made may be refused for. It is never an admin's, which is told first. */
function scopeErrors(route: Route): readonly ErrorCode[] {
  const need = needOf(route);
  return need === 'person' || need === 'sign_in' ? ['sign_in_required'] : ['insufficient_scope'];
}

/** A file has no JSON to be broken; a packed one is not unpacked. */
const UPLOAD_ERRORS = ['payload_too_large', 'unsupported_media_type', 'overloaded'] as const;

function isOpen({ access }: Route): boolean {
  return access === 'public' || access === 'webhook';
}

const RETRY_AFTER = new Set<number>([409, 429, 503]);
