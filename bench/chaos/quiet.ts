import { setTimeout as sleep } from 'node:timers/promises';
import { Client as Temporal, Connection } from '@temporalio/client';
import { Client } from 'pg';
import { say } from '../../scripts/services/say.ts';
import type { ChaosStage } from './stage.ts';

/** Longer than any turn may take, with all its attempts, and than reconcile needs to find one that nothing runs. */
const QUIET_WITHIN_MS = 15 * 60_000;

/** @returns after how many seconds; what is live then is found by the checks. */
export async function waitUntilQuiet(stage: ChaosStage): Promise<number> {
  const began = Date.now();
  let lastTold = 0;
  for (;;) {
    // What was killed last may not be back yet.
    const live = await countLive(stage).catch((error: unknown) => `cannot look yet (${String(error)})`);
    const seconds = (Date.now() - began) / 1_000;
    if (live === null || seconds * 1_000 > QUIET_WITHIN_MS) return seconds;
    if (seconds > lastTold + 10) {
      lastTold = seconds;
      say(`waiting until all is quiet: ${live}`);
    }
    await sleep(1_000);
  }
}

/** @returns what is live, for people; null when nothing is. */
async function countLive({ databaseUrl, temporalAddress }: ChaosStage): Promise<string | null> {
  const client = new Client({ connectionString: databaseUrl });
  // Without a listener a connection that breaks between two calls would end the program.
  client.on('error', () => {});
  await client.connect();
  try {
    const { rows } = await client.query<{ turns: number; holds: number }>(
      `select (select count(*)::int from turns where state in ('accepted', 'running')) as turns, (select count(*)::int from holds where state = 'pending') as holds`,
    );
    const connection = await Connection.connect({ address: temporalAddress });
    try {
      const query = `WorkflowType = "chatTurn" AND ExecutionStatus = "Running"`;
      const { count } = await new Temporal({ connection }).workflow.count(query);
      const { turns = 0, holds = 0 } = rows[0] ?? {};
      if (turns === 0 && holds === 0 && count === 0) return null;
      return `${turns} live turns, ${holds} holds, ${count} workflows`;
    } finally {
      await connection.close();
    }
  } finally {
    await client.end();
  }
}
