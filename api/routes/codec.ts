import type { z } from 'zod';
import { isEncrypted } from '../../platform/temporal/codec.ts';
import type { ApiDeps } from '../context.ts';
import { defineRoute, type Route } from '../http/route.ts';
import { payloads } from '../wire/codec.ts';

type Shown = z.infer<typeof payloads>['payloads'][number];

/** A long history in one: Temporal's own limit for one is 50 MB, and its pages of the UI have some hundred events. */
const MOST_BODY = { bytes: 8 * 1024 * 1024, values: 200_000, depth: 8 };

/**
 * The codec server of the Temporal UI and its command line (`--codec-endpoint`): it shows admins what Temporal keeps
 * encrypted.
 */
export function codecRoutes(deps: Pick<ApiDeps, 'codec' | 'config'>): Route[] {
  return [
    defineRoute({
      method: 'post',
      path: '/api/admin/codec/decode',
      access: 'admin',
      need: 'read',
      tag: 'Admin',
      limit: 'read',
      summary: "Decrypt payloads, as Temporal's codec server: for the Temporal UI and the temporal command",
      body: payloads,
      mostBody: MOST_BODY,
      pagesOf: () => originOf(deps.config.temporal.uiUrl),
      answers: {
        200: {
          description: 'The same payloads; plain ones, and those of keys that are gone, as they came',
          body: payloads,
        },
      },
      errors: [],
      async handle(_caller, { body }) {
        return { status: 200, body: { payloads: await Promise.all(body.payloads.map((one) => open(deps, one))) } };
      },
    }),
  ];
}

/** One that cannot be opened stays as it is, with the name of its key, and hides none of the others. */
async function open({ codec }: Pick<ApiDeps, 'codec'>, shown: Shown): Promise<Shown> {
  const metadata = Object.fromEntries(
    Object.entries(shown.metadata).map(([name, value]) => [name, Buffer.from(value, 'base64')]),
  );
  const payload = { metadata, data: Buffer.from(shown.data, 'base64') };
  if (codec === null || !isEncrypted(payload)) return shown;
  const [opened] = await codec.decode([payload]).catch(() => []);
  if (opened === undefined) return shown;
  return {
    metadata: Object.fromEntries(
      Object.entries(opened.metadata ?? {}).map(([name, value]) => [name, Buffer.from(value).toString('base64')]),
    ),
    data: Buffer.from(opened.data ?? []).toString('base64'),
  };
}

function originOf(url: string | undefined): string | null {
  return url === undefined || !URL.canParse(url) ? null : new URL(url).origin;
}
