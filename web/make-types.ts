import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import openapiTypes, { astToString } from 'openapi-typescript';

const root = fileURLToPath(new URL('..', import.meta.url));

/**
 * Makes the types of the web app's client from the API's own document. Each check makes them anew and they are never
 * committed, so a page that uses what the API no longer has does not compile.
 */
const document = execFileSync(process.execPath, ['--disable-warning=ExperimentalWarning', 'api/openapi/document.ts'], {
  cwd: root,
  encoding: 'utf8',
  maxBuffer: 64 * 1024 * 1024,
});
const types = await openapiTypes(document, { defaultNonNullable: false });
writeFileSync(new URL('api/schema.d.ts', import.meta.url), `// Made by web/make-types.ts\n${astToString(types)}`);
