import { z } from 'zod';
import { ALERT_LEVELS } from '../../domain/alerts.ts';
import { instant, pageOf, pageQuery } from './fields.ts';

export const notification = z
  .object({
    id: z.int().min(1),
    level: z.enum(ALERT_LEVELS),
    title: z.string(),
    body: z.string().meta({
      description:
        'Percent used, tokens left, when the allowance resets on your clock, where to buy; in your language of then',
    }),
    purchaseUrl: z.string(),
    createdAt: instant,
    readAt: instant.nullable(),
  })
  .meta({ id: 'Notification' });

const unreadCount = z.int().min(0).meta({ description: 'Of all, not of this page' });

export const notificationsQuery = z.strictObject({
  ...pageQuery,
  unread: z.enum(['true', 'false']).default('false').meta({ description: '`true`: only those not yet read' }),
});

export const notificationPage = pageOf(notification).extend({ unreadCount }).meta({ id: 'Notifications' });
export const unreadBody = z.object({ unreadCount }).meta({ id: 'Unread' });
