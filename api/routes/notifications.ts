import { z } from 'zod';
import { listNotifications, readAllNotifications, readNotification } from '../../db/alerts/notifications.ts';
import type { ApiDeps } from '../context.ts';
import { defineRoute, type Route } from '../http/route.ts';
import { presentNotification } from '../present/notification.ts';
import { idText } from '../wire/fields.ts';
import { notification, notificationPage, notificationsQuery, unreadBody } from '../wire/notification.ts';

const params = z.object({ id: idText });

export function notificationRoutes({ database }: Pick<ApiDeps, 'database'>): Route[] {
  return [
    defineRoute({
      method: 'get',
      path: '/api/notifications',
      access: 'user',
      tag: 'Account',
      limit: 'read',
      summary: 'What you were told, newest first, and how much of it is unread',
      query: notificationsQuery,
      answers: { 200: { description: 'A page', body: notificationPage } },
      errors: [],
      async handle({ principal }, { query: { unread, limit, cursor } }) {
        const page = await listNotifications(database, {
          userId: principal.userId,
          unread: unread === 'true',
          limit,
          cursor: cursor ?? null,
        });
        return { status: 200, body: { ...page, items: page.items.map(presentNotification) } };
      },
    }),
    defineRoute({
      method: 'post',
      path: '/api/notifications/read-all',
      access: 'user',
      tag: 'Account',
      limit: 'read',
      summary: 'Mark all of them read',
      answers: { 200: { description: 'Done', body: unreadBody } },
      errors: [],
      async handle({ principal }) {
        return { status: 200, body: await readAllNotifications(database, { userId: principal.userId }) };
      },
    }),
    defineRoute({
      method: 'post',
      path: '/api/notifications/:id/read',
      access: 'user',
      tag: 'Account',
      limit: 'read',
      summary: 'Mark one read; again is the same',
      params,
      answers: { 200: { description: 'The notification', body: notification } },
      errors: ['not_found'],
      async handle({ principal }, { params: { id } }) {
        return {
          status: 200,
          body: presentNotification(await readNotification(database, { notificationId: id, userId: principal.userId })),
        };
      },
    }),
  ];
}
