import { createHash, timingSafeEqual } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { AppError } from '../../domain/errors.ts';
import { isLoopback } from '../../platform/config/loopback.ts';
import type { ApiDeps } from '../context.ts';
import { defineRoute, type Route } from '../http/route.ts';
import { demoBody, session, signInOptions } from '../wire/sign-in.ts';

/** Calls before sign-in: what the sign-in page may offer, and the demo users' keys. */
export function signInRoutes({ config: { demo, dataDir, http, oidc } }: Pick<ApiDeps, 'config'>): Route[] {
  const offered = demo && isLoopback(http.host);
  return [
    defineRoute({
      method: 'get',
      path: '/api/auth/options',
      access: 'public',
      tag: 'Sign-in',
      summary: 'How a person may sign in here',
      answers: { 200: { description: 'What the sign-in page offers', body: signInOptions } },
      errors: [],
      handle: async () => ({
        status: 200,
        body: { demo: offered, provider: oidc?.web ?? null },
      }),
    }),
    defineRoute({
      method: 'post',
      path: '/api/auth/demo',
      access: 'public',
      tag: 'Sign-in',
      summary:
        'The key of the demo user or the demo admin; only on the embedded stack, with the secret that `npm start` printed',
      body: demoBody,
      answers: { 200: { description: 'A key', body: session } },
      errors: ['not_found'],
      async handle(_caller, { body: { as, secret } }) {
        if (!offered) throw new AppError('not_found');
        const keys = demoKeys.parse(JSON.parse(await readFile(join(dataDir, 'demo.json'), 'utf8')));
        // The sender's address is no proof: a proxy on this machine that rewrites Host and adds no header looks like
        // our own page.
        if (!isSame(secret ?? '', keys.secret)) throw new AppError('not_found');
        return { status: 200, body: { token: keys[as].token } };
      },
    }),
  ];
}

/** The file that scripts/demo-keys.ts writes at each start. */
const demoKeys = z.object({
  secret: z.string().min(1),
  user: z.object({ token: z.string() }),
  admin: z.object({ token: z.string() }),
});

/** Compares digests, which have the same length, so that the time it takes tells nothing. */
function isSame(one: string, other: string): boolean {
  const [a, b] = [one, other].map((text) => createHash('sha256').update(text).digest()) as [Buffer, Buffer];
  return timingSafeEqual(a, b);
}
