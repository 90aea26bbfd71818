import { sql } from 'kysely';
import { AppError } from '../../domain/errors.ts';
import { first, type Sql } from '../database.ts';
import { requeue } from './requeue.ts';

export interface EndpointDelivery {
  readonly deliveryId: string;
  readonly type: string;
  readonly state: 'pending' | 'delivered' | 'failed';
  readonly attempts: number;
  readonly error: string | null;
  readonly answer: string | null;
  readonly createdAt: number;
  readonly dueAt: number | null;
  readonly endedAt: number | null;
}

const MOST_SHOWN = 50;

/** The newest 50 first. */
export async function listDeliveries(on: Sql, endpointId: string): Promise<EndpointDelivery[]> {
  const at = (column: string) => sql.raw(`floor(extract(epoch from ${column}) * 1000)::float8`);
  const { rows } =
    await sql<EndpointDelivery>`select d.id as "deliveryId", n.kind as type, d.state, d.attempts, d.error_code as error, d.answer,
      ${at('n.created_at')} as "createdAt", case when d.state = 'pending' then ${at('d.due_at')} end as "dueAt", ${at('d.ended_at')} as "endedAt"
    from deliveries d join notifications n on n.id = d.notification_id
    where d.channel = 'webhook' and d.address = ${endpointId} order by d.queued_at desc, d.id desc limit ${MOST_SHOWN}`.execute(
      on,
    );
  return rows;
}

/** Begins a delivery of an endpoint anew, whatever it came to. @throws AppError not_found. */
export async function requeueOf(
  on: Sql,
  { deliveryId, endpointId }: { deliveryId: string; endpointId: string },
): Promise<void> {
  const found = await first(
    sql`select 1 from deliveries where id = ${deliveryId} and channel = 'webhook' and address = ${endpointId}`,
    on,
  );
  if (found === null) throw new AppError('not_found');
  await requeue(on, [deliveryId]);
}
