import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Express, Request } from 'express';
import { z } from 'zod';
import { AppError } from '../../domain/errors.ts';
import type { Config } from '../../platform/config.ts';
import { isLoopback } from '../../platform/loopback.ts';
import { readBody } from '../body.ts';
import { allowOnly } from '../route.ts';
import { demoBody } from '../wire/sign-in.ts';

/** Before sign-in: what the sign-in page may offer, and the demo users' keys. Described in `openapi.ts` beside health. */
export function mountSignIn(app: Express, { embedded, dataDir, http, oidc }: Pick<Config, 'embedded' | 'dataDir' | 'http' | 'oidc'>): void {
  const offered = embedded && isLoopback(http.host);
  app.use('/api/auth', (_request, response, next) => {
    response.set('Cache-Control', 'no-store');
    next();
  });
  app.get('/api/auth/options', (request, response) => {
    response.json({ demo: offered && isOwnPage(request), provider: oidc?.web ?? null });
  });
  app.post('/api/auth/demo', readBody(), async (request, response) => {
    if (!offered || !isOwnPage(request)) throw new AppError('not_found');
    const body = demoBody.safeParse(request.body);
    if (!body.success) throw new AppError('invalid_request', { field: 'as', reason: 'must be user or admin' });
    const keys = demoKeys.parse(JSON.parse(await readFile(join(dataDir, 'demo.json'), 'utf8')));
    response.json({ token: keys[body.data.as].token });
  });
  allowOnly(app, [{ method: 'get', path: '/api/auth/options' }, { method: 'post', path: '/api/auth/demo' }]);
}

/** As scripts/demo-keys.ts writes it at each start. */
const demoKeys = z.object({ user: z.object({ token: z.string() }), admin: z.object({ token: z.string() }) });

/**
 * Asked on this machine, by this machine's name, and not by another site's page. A name that was rebound to 127.0.0.1 is still in Host;
 * a proxy that lets others in says so in Forwarded or X-Forwarded-For; a browser names the site that asks.
 */
function isOwnPage({ headers, socket }: Request): boolean {
  const { host = '', origin, forwarded } = headers;
  const site = headers['sec-fetch-site'];
  const name = host.replace(/:\d+$/, '');
  return isLoopback(socket.remoteAddress ?? '') && isLoopback(name)
    && forwarded === undefined && headers['x-forwarded-for'] === undefined && headers['x-forwarded-host'] === undefined
    && (origin === undefined || origin === `http://${host}`)
    && (site === undefined || site === 'same-origin' || site === 'none');
}
