import { randomBytes } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { extname, join, sep } from 'node:path';
import type { Express, Request, Response } from 'express';
import { allowOnly } from '../http/mount.ts';
import { isShopPage, pagePolicy, type PaymentScript } from './page-policy.ts';

/**
 * Serves the web app's files at `/`, as `vite build` left them in `folder`. It is mounted last, so that it answers only
 * what no call of the API answers.
 */
export function mountWeb(
  app: Express,
  {
    folder,
    connectTo,
    paymentScript,
  }: { folder: string; connectTo: readonly string[]; paymentScript: PaymentScript | null },
): void {
  const files = listFiles(folder);
  const page = readFileSync(join(folder, 'index.html'), 'utf8');
  const onlyRead = allowOnly(['get']);
  app.use((request, response, next) => {
    const file = files.get(request.path);
    if (request.method !== 'GET' && request.method !== 'HEAD')
      return file !== undefined || request.path === '/' ? onlyRead(request, response, next) : next();
    if (file !== undefined) return sendFile(request, response, file);
    if (!isPage(request)) return next();
    // A shared copy is for whom its link was given to, and for no search engine.
    if (request.path.startsWith('/s/')) response.set('X-Robots-Tag', 'noindex, nofollow');
    sendPage(response, page, { connectTo, payment: isShopPage(request.path) ? paymentScript : null });
  });
}

interface WebFile {
  readonly root: string;
  readonly name: string;
  readonly encodings: readonly string[];
}

/** The names of all files are read before the first request, so that no path is ever built from a request. */
function listFiles(folder: string): ReadonlyMap<string, WebFile> {
  const names = readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) =>
      join(entry.parentPath, entry.name)
        .slice(folder.length + 1)
        .replaceAll(sep, '/'),
    );
  const all = new Set(names);
  return new Map(
    names
      .filter((name) => name !== 'index.html' && !/\.(br|gz)$/.test(name))
      .map((name) => [
        `/${name}`,
        { root: folder, name, encodings: ['br', 'gz'].filter((ending) => all.has(`${name}.${ending}`)) },
      ]),
  );
}

const ENCODING = { br: 'br', gz: 'gzip' } as const;

/**
 * Files under /assets may be kept for ever, because their names contain a hash of their content. Any page may read
 * them: they are public, and the frame in which diagrams are drawn has no origin that could be named.
 */
function sendFile(request: Request, response: Response, { root, name, encodings }: WebFile): void {
  const ending = encodings.find(
    (candidate) => request.acceptsEncodings(ENCODING[candidate as keyof typeof ENCODING]) !== false,
  );
  const isAsset = request.path.startsWith('/assets/');
  response
    .set('Cache-Control', isAsset ? 'public, max-age=31536000, immutable' : 'public, max-age=3600')
    .type(extname(name));
  if (isAsset) response.set('Access-Control-Allow-Origin', '*');
  if (encodings.length > 0) response.vary('Accept-Encoding');
  if (ending !== undefined) response.set('Content-Encoding', ENCODING[ending as keyof typeof ENCODING]);
  response.sendFile(ending === undefined ? name : `${name}.${ending}`, {
    root,
    cacheControl: false,
    lastModified: false,
  });
}

/**
 * Whether a browser opens the page. A program that asks for an unknown address gets the API's 404, and so does a
 * missing file. `/` is the page for everybody.
 */
function isPage(request: Request): boolean {
  if (request.path === '/') return true;
  if (/^\/(api|health|metrics)(\/|$)/i.test(request.path) || /\.[a-z0-9]+$/i.test(request.path)) return false;
  return (request.headers.accept ?? '').includes('text/html');
}

function sendPage(
  response: Response,
  page: string,
  allowed: { readonly connectTo: readonly string[]; readonly payment: PaymentScript | null },
): void {
  const nonce = randomBytes(16).toString('base64');
  response
    .set({
      'Content-Security-Policy': pagePolicy({ nonce, ...allowed }),
      'Cache-Control': 'no-cache',
      'Cross-Origin-Opener-Policy': 'same-origin',
      'Permissions-Policy': 'camera=(), geolocation=(), microphone=()',
    })
    .type('html')
    .send(page.replaceAll('%CSP_NONCE%', nonce));
}
