import { z } from 'zod';
import type { NotificationRecord } from '../../db/alerts/notifications.ts';
import { notification } from '../wire/notification.ts';
import { iso } from './turn.ts';

export function presentNotification({ createdAt, readAt, ...rest }: NotificationRecord): z.infer<typeof notification> {
  return { ...rest, createdAt: iso(createdAt), readAt: readAt === null ? null : iso(readAt) };
}
