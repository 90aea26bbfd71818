import type { z } from 'zod';
import { changeAddress, readAddress } from '../../db/channels/addresses.ts';
import { readPreferences, writePreferences } from '../../db/channels/preferences.ts';
import { isSwitchable } from '../../domain/channels/kinds.ts';
import { AppError } from '../../domain/errors.ts';
import { startDeliveries } from '../../operations/channels/start-deliveries.ts';
import type { ApiDeps } from '../context.ts';
import { defineRoute, type Route } from '../http/route.ts';
import { iso } from '../present/turn.ts';
import { addressBody, preferences, preferencesBody } from '../wire/preferences.ts';

const PATH = '/api/me/notification-preferences';

/** What a person is told of, through which channel, and to which address. */
export function preferenceRoutes(deps: ApiDeps): Route[] {
  const { database, channels } = deps;
  async function present(userId: number): Promise<z.infer<typeof preferences>> {
    const [{ address, isSuppressed, change }, items] = await Promise.all([
      readAddress(database.sql, userId),
      readPreferences(database.sql, userId),
    ]);
    return {
      email: {
        available: channels.outward.email,
        address,
        refused: isSuppressed,
        change:
          change === null
            ? null
            : {
                address: change.email,
                expiresAt: iso(change.expiresAt),
                newConfirmed: change.newConfirmedAt !== null,
                oldConfirmed: change.oldEmail === null ? null : change.oldConfirmedAt !== null,
              },
      },
      items: items.map((item) => ({ ...item, locked: !isSwitchable(item.kind) })),
    };
  }
  return [
    defineRoute({
      method: 'get',
      path: PATH,
      access: 'user',
      tag: 'Account',
      limit: 'read',
      summary: 'What you are told of, through which channel, and where your mail goes',
      answers: { 200: { description: 'All kinds and channels', body: preferences } },
      errors: [],
      async handle({ principal }) {
        return { status: 200, body: await present(principal.userId) };
      },
    }),
    defineRoute({
      method: 'put',
      path: PATH,
      access: 'user',
      tag: 'Account',
      limit: 'read',
      summary: 'Switch kinds on or off; money and security stay on',
      body: preferencesBody,
      answers: { 200: { description: 'All kinds and channels', body: preferences } },
      errors: [],
      async handle({ principal }, { body: { items } }) {
        const locked = items.findIndex(({ kind, enabled }) => !enabled && !isSwitchable(kind));
        if (locked !== -1)
          throw new AppError('invalid_request', {
            field: `items.${locked}.enabled`,
            reason: 'money and security cannot be switched off',
          });
        const { userId } = principal;
        const changes = [...new Map(items.map((item) => [`${item.kind}/${item.channel}`, item])).values()];
        await writePreferences(database, { userId, changes: changes.filter(({ kind }) => isSwitchable(kind)) });
        return { status: 200, body: await present(userId) };
      },
    }),
    defineRoute({
      method: 'post',
      path: '/api/me/address',
      access: 'user',
      tag: 'Account',
      limit: 'read',
      summary: 'Get mail at another address: a link goes there, and to the old address; both have to confirm',
      body: addressBody,
      answers: { 202: { description: 'The links are on their way', body: preferences } },
      errors: ['channel_off', 'rate_limited'],
      async handle({ principal: { userId } }, { body: { email } }) {
        const { outward } = channels;
        if (!outward.email) throw new AppError('channel_off');
        await startDeliveries(deps, await changeAddress(database, { userId, email, outward }));
        return { status: 202, body: await present(userId) };
      },
    }),
  ];
}
