import type { Express } from 'express';
import { createHash } from 'node:crypto';
import { createRequire } from 'node:module';
import { dirname } from 'node:path';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';
import { allowOnly } from '../http/mount.ts';

/** Serves Swagger UI at /api/docs and its OpenAPI document, both without authentication. */
export function mountDocs(app: Express, document: object): void {
  const forms = formsOf(Buffer.from(JSON.stringify(document)));
  const onlyRead = allowOnly(['get']);
  app.use(['/api/openapi.json', '/api/docs'], (request, response, next) => {
    if (request.method === 'GET' || request.method === 'HEAD') next();
    else onlyRead(request, response, next);
  });
  app.get('/api/openapi.json', (request, response) => {
    const encoding = ENCODINGS.find((each) => request.acceptsEncodings(each) !== false) ?? 'identity';
    const { body, headers } = forms[encoding];
    response.set(headers).type('json').send(body);
  });
  app.get('/api/docs', (_request, response) => {
    response.set({ 'Content-Security-Policy': POLICY, 'Cache-Control': 'no-cache' }).type('html').send(PAGE);
  });
  app.get('/api/docs/start.js', (_request, response) => {
    response.set('Cache-Control', 'no-cache').type('js').send(START);
  });
  const root = dirname(createRequire(import.meta.url).resolve('swagger-ui-dist/package.json'));
  for (const name of FILES)
    app.get(`/api/docs/${name}`, (_request, response) => {
      response.set('Cache-Control', 'public, max-age=3600').sendFile(name, { root, cacheControl: false });
    });
}

/** All that is served of the package: its own pages load a document and a badge from foreign origins. */
const FILES = ['swagger-ui.css', 'swagger-ui-bundle.js', 'favicon-32x32.png'] as const;

/** Swagger UI sets inline styles and draws its icons as data. Nothing else runs, loads or is asked but this server. */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

/** `validatorUrl` would send the document's address to a public service, for a badge. */
const START =
  "SwaggerUIBundle({ url: '/api/openapi.json', dom_id: '#docs', deepLinking: true, persistAuthorization: true, validatorUrl: null });";

/** The first that a client accepts is sent. */
const ENCODINGS = ['br', 'gzip', 'identity'] as const;

/** The document is written out and compressed once: that takes some 20 ms, and any stranger may ask. */
function formsOf(document: Buffer) {
  // Weak: it is the same document in each form.
  const tag = `W/"${createHash('sha256').update(document).digest('base64url')}"`;
  const form = (encoding: (typeof ENCODINGS)[number], body: Buffer) => ({
    body,
    headers: {
      ...(encoding === 'identity' ? {} : { 'Content-Encoding': encoding }),
      ETag: tag,
      'Cache-Control': 'no-cache',
      Vary: 'Accept-Encoding',
    },
  });
  return {
    br: form('br', brotliCompressSync(document, { params: { [constants.BROTLI_PARAM_QUALITY]: 5 } })),
    gzip: form('gzip', gzipSync(document)),
    identity: form('identity', document),
  };
}

const PAGE = `<!doctype html>
<html lang="ko">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Turnkeeper API</title>
<link rel="stylesheet" href="/api/docs/swagger-ui.css">
<link rel="icon" type="image/png" href="/api/docs/favicon-32x32.png">
</head>
<body>
<main id="docs"></main>
<script src="/api/docs/swagger-ui-bundle.js"></script>
<script src="/api/docs/start.js"></script>
</body>
</html>
`;
