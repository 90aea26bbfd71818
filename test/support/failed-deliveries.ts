import { sql } from 'kysely';
import { writeNotification } from '../../db/channels/outbox.ts';
import { giveAddress } from './mail.ts';
import type { Person, TestStack } from './stack.ts';

/** Mails that the other side has refused for good, one a person, each as the database has it then. */
export async function failDeliveries(
  stack: Pick<TestStack, 'db' | 'person'>,
  count: number,
): Promise<{ person: Person; address: string; deliveryId: string }[]> {
  const { database } = stack.db;
  const made = [];
  for (let n = 0; n < count; n += 1) {
    const person = await stack.person();
    const address = await giveAddress(stack, person);
    const now = Date.now();
    const deliveryId = await database.transaction(async (tx) => {
      const { deliveryIds } = await writeNotification(tx, {
        userId: person.userId,
        told: {
          kind: 'usage.reset',
          figures: {
            period: '2026-12',
            allowanceTokens: 100_000,
            purchasedTokens: 0,
            resetsAt: now,
            timeZone: 'Asia/Seoul',
          },
        },
        locale: 'ko',
        purchaseUrl: '',
        key: `2026-12/${person.userId}`,
        now,
        outward: { email: true, webhook: false },
      });
      await sql`update deliveries set state = 'failed', attempts = 1, error_code = 'refused', answer = '554', ended_at = now()
        where id = any(${[...deliveryIds]}::uuid[])`.execute(tx);
      return deliveryIds[0] ?? '';
    });
    made.push({ person, address, deliveryId });
  }
  return made;
}
