import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from 'pg';
import { say } from '../../../scripts/services/say.ts';
import { openChaosStage, type ChaosStage } from '../stage.ts';
import { findWrongPurchases } from './books.ts';
import { startToss, Toss } from './provider.ts';

/** The program's processes, its database, and the fake of Toss Payments by which it sells. */
export interface ShopStage {
  readonly stage: ChaosStage;
  readonly client: Client;
  readonly toss: Toss;
  readonly stopping: AbortSignal;
}

/** @param processes API processes, and as many workers. */
export async function withToss<T>(
  stopping: AbortSignal,
  processes: number,
  run: (shop: ShopStage) => Promise<T>,
): Promise<T> {
  let url = '';
  const stage = await openChaosStage(stopping, { processes, layout: 'apart' }, async (context) => {
    const toss = await startToss(context);
    url = toss.service.url;
    return toss;
  });
  const client = new Client({ connectionString: stage.databaseUrl });
  try {
    await client.connect();
    return await run({ stage, client, toss: new Toss(url), stopping });
  } finally {
    await client.end();
    await stage.close();
  }
}

/**
 * Whatever a killed worker was at is tried again by another one after two minutes; a start that was lost is found by
 * reconcile.
 */
const RIGHT_WITHIN_MS = 10 * 60_000;

/** @returns after how many seconds; what is wrong then is found by the checks. */
export async function untilRight({ client, toss }: Pick<ShopStage, 'client' | 'toss'>): Promise<number> {
  const began = Date.now();
  for (;;) {
    const wrong = await findWrongPurchases(client, await toss.read());
    const ms = Date.now() - began;
    if (wrong.length === 0 || ms > RIGHT_WITHIN_MS) return Math.round(ms / 1_000);
    say(`waiting until all is right: ${wrong.length} to go`);
    await sleep(5_000);
  }
}
