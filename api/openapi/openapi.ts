import { z } from 'zod';
import {
  createDocument,
  createSchema,
  type ZodOpenApiOperationObject,
  type ZodOpenApiPathsObject,
  type ZodOpenApiResponsesObject,
} from 'zod-openapi';
import type { ErrorCode } from '../../domain/errors.ts';
import { STATUS_OF } from '../http/errors.ts';
import { BODY_ERRORS } from '../http/body.ts';
import type { Answer, Route } from '../http/route.ts';
import { accountEvents } from '../wire/account-events.ts';
import { errorBody, failedTurnBody, refusalBody } from '../wire/error.ts';
import { demoBody, session, signInOptions } from '../wire/sign-in.ts';
import { streamEvents } from '../wire/turn.ts';

const BEARER =
  'An API key of Turnkeeper (`Authorization: Bearer tk_…`), or an access token of the OIDC issuer that this installation trusts: a JWT for its audience. ' +
  '`GET /api/auth/options` names the provider. 401 for whatever is wrong with either; 503 while the issuer’s keys cannot be had.';

const EVERYWHERE = ['unauthorized', 'rate_limited', 'internal', 'unavailable'] as const satisfies readonly ErrorCode[];

/** What the door refuses before a route's own code runs. */
function doorErrors({ path, params, query, body }: Route): readonly ErrorCode[] {
  return [
    ...(path.startsWith('/api/admin/') ? (['forbidden'] as const) : []),
    ...(body === undefined ? [] : BODY_ERRORS),
    // A path with `%ff` in it is no text.
    ...([params, query, body].every((part) => part === undefined) ? [] : (['invalid_request'] as const)),
  ];
}

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
    paths: { ...HEALTH, ...SIGN_IN, ...paths },
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
 * What a stream carries, apart: registered in the document they would bring each schema a second time, as of a request.
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
    ...(route.body === undefined
      ? {}
      : {
          requestBody: {
            required: !route.body.safeParse({}).success,
            content: { 'application/json': { schema: route.body } },
          },
        }),
    responses: {
      ...Object.fromEntries(answers),
      ...describeErrors([...doorErrors(route), ...route.errors, ...EVERYWHERE]),
    },
  };
}

function describeAnswer({ description, body, stream, csv }: Answer) {
  return {
    description,
    content: {
      ...(body === undefined ? {} : { 'application/json': { schema: body } }),
      ...(stream === true
        ? {
            'text/event-stream': {
              schema: z.string().meta({ description: '`id`, `event` and `data` lines; comments every 15 s' }),
            },
          }
        : {}),
      ...(csv === undefined ? {} : { 'text/csv': { schema: z.string().meta({ description: csv }) } }),
    },
  };
}

/** One response a status, naming its codes. */
function describeErrors(codes: readonly ErrorCode[]): ZodOpenApiResponsesObject {
  const byStatus = Map.groupBy(new Set(codes), (code) => STATUS_OF[code]);
  return Object.fromEntries(
    [...byStatus].map(([status, group]) => [
      String(status),
      {
        description: group.join(', '),
        ...(RETRY_AFTER.has(status)
          ? { headers: z.object({ 'Retry-After': z.string().optional().meta({ description: 'Seconds' }) }) }
          : {}),
        content: {
          'application/json': {
            schema:
              status === 402
                ? refusalBody
                : status === 502 || status === 504 || status === 422
                  ? failedTurnBody
                  : errorBody,
          },
        },
      },
    ]),
  ) as ZodOpenApiResponsesObject;
}

const RETRY_AFTER = new Set<number>([409, 429, 503]);

const word = z.enum(['ok', 'down', 'degraded']);
const HEALTH: ZodOpenApiPathsObject = {
  '/metrics': {
    get: {
      summary: 'What this process counts, in Prometheus’s format; for admins',
      tags: ['Health'],
      responses: {
        200: { description: 'Metrics', content: { 'text/plain': { schema: z.string() } } },
        ...describeErrors(['unauthorized', 'forbidden', 'internal']),
      },
    },
  },
  '/health': {
    get: {
      summary: 'Alive',
      tags: ['Health'],
      security: [],
      responses: {
        200: {
          description: 'Alive',
          content: { 'application/json': { schema: z.object({ status: z.literal('ok') }) } },
        },
      },
    },
  },
  '/health/ready': {
    get: {
      summary: 'PostgreSQL and Temporal answer',
      tags: ['Health'],
      security: [],
      responses: {
        200: {
          description: 'Ready',
          content: {
            'application/json': {
              schema: z.object({ status: z.literal('ready'), postgresql: word, temporal: word, redis: word }),
            },
          },
        },
        503: { description: 'unavailable', content: { 'application/json': { schema: errorBody } } },
      },
    },
  },
};

const SIGN_IN: ZodOpenApiPathsObject = {
  '/api/auth/options': {
    get: {
      summary: 'How a person may sign in here',
      tags: ['Sign-in'],
      security: [],
      responses: {
        200: {
          description: 'What the sign-in page offers',
          content: { 'application/json': { schema: signInOptions } },
        },
      },
    },
  },
  '/api/auth/demo': {
    post: {
      summary:
        'The key of the demo user or the demo admin; only on the embedded stack, with the secret that `npm start` printed',
      tags: ['Sign-in'],
      security: [],
      requestBody: { required: true, content: { 'application/json': { schema: demoBody } } },
      responses: {
        200: { description: 'A key', content: { 'application/json': { schema: session } } },
        ...describeErrors([
          'invalid_json',
          'invalid_request',
          'not_found',
          'unsupported_media_type',
          'payload_too_large',
        ]),
      },
    },
  },
};
