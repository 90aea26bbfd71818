import express, { type Express } from 'express';
import { createHash } from 'node:crypto';
import { createRequire } from 'node:module';
import { dirname } from 'node:path';

/** Serves Swagger UI at /api/docs and its OpenAPI document, both without authentication. */
export function mountDocs(app: Express, document: object): void {
  // The document is written out once: its 153 KB take 1 to 4 ms, and any stranger may ask.
  const body = Buffer.from(JSON.stringify(document));
  const headers = { ETag: `"${createHash('sha256').update(body).digest('base64url')}"`, 'Cache-Control': 'no-cache' };
  app.get('/api/openapi.json', (_request, response) => {
    response.set(headers).type('json').send(body);
  });
  app.get('/api/docs', (_request, response) => {
    response
      .set('Content-Security-Policy', "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:")
      .type('html')
      .send(PAGE);
  });
  app.get('/api/docs/start.js', (_request, response) => {
    response
      .type('js')
      .send(
        "SwaggerUIBundle({ url: '/api/openapi.json', dom_id: '#docs', deepLinking: true, persistAuthorization: true });",
      );
  });
  const assets = dirname(createRequire(import.meta.url).resolve('swagger-ui-dist/package.json'));
  app.use('/api/docs', express.static(assets, { index: false, maxAge: '1h', redirect: false }));
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
