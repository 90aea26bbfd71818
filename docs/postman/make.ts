import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { collectionOf, type OpenApi } from './collection.ts';

/**
 * `npm run postman`: writes token-management.json from the API's own document. Run it when a route has changed; a test
 * fails while it is old.
 */
const root = fileURLToPath(new URL('../..', import.meta.url));
const document = execFileSync(process.execPath, ['--disable-warning=ExperimentalWarning', 'api/openapi/document.ts'], {
  cwd: root,
  encoding: 'utf8',
  maxBuffer: 64 * 1024 * 1024,
});
writeFileSync(
  new URL('token-management.json', import.meta.url),
  `${JSON.stringify(collectionOf(JSON.parse(document) as OpenApi), null, 1)}\n`,
);
