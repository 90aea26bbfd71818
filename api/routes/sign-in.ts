import { createHash, timingSafeEqual } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Express } from 'express';
import { z } from 'zod';
import { AppError } from '../../domain/errors.ts';
import type { Config } from '../../platform/config/config.ts';
import { isLoopback } from '../../platform/config/loopback.ts';
import { readBody } from '../http/body.ts';
import { allowOnly } from '../http/route.ts';
import { demoBody } from '../wire/sign-in.ts';

/**
 * Before sign-in: what the sign-in page may offer, and the demo users' keys. Described in `openapi.ts` beside health.
 */
export function mountSignIn(
  app: Express,
  { demo, dataDir, http, oidc }: Pick<Config, 'demo' | 'dataDir' | 'http' | 'oidc'>,
): void {
  const offered = demo && isLoopback(http.host);
  app.use('/api/auth', (_request, response, next) => {
    response.set('Cache-Control', 'no-store');
    next();
  });
  app.get('/api/auth/options', (_request, response) => {
    response.json({ demo: offered, provider: oidc?.web ?? null });
  });
  app.post('/api/auth/demo', readBody(), async (request, response) => {
    if (!offered) throw new AppError('not_found');
    const body = demoBody.safeParse(request.body);
    if (!body.success)
      throw new AppError('invalid_request', {
        field: body.error.issues[0]?.path.join('.') ?? null,
        reason: body.error.issues[0]?.message,
      });
    const keys = demoKeys.parse(JSON.parse(await readFile(join(dataDir, 'demo.json'), 'utf8')));
    // Not by where it comes from: a proxy on this machine that rewrites Host and adds no header looks like its own
    // page.
    if (!isSame(body.data.secret ?? '', keys.secret)) throw new AppError('not_found');
    response.json({ token: keys[body.data.as].token });
  });
  allowOnly(app, [
    { method: 'get', path: '/api/auth/options' },
    { method: 'post', path: '/api/auth/demo' },
  ]);
}

/** As scripts/demo-keys.ts writes it at each start. */
const demoKeys = z.object({
  secret: z.string().min(1),
  user: z.object({ token: z.string() }),
  admin: z.object({ token: z.string() }),
});

/** By their digests, which are equally long, so that the time it takes tells nothing. */
function isSame(one: string, other: string): boolean {
  const [a, b] = [one, other].map((text) => createHash('sha256').update(text).digest()) as [Buffer, Buffer];
  return timingSafeEqual(a, b);
}
