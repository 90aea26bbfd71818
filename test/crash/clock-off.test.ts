import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { sql } from 'kysely';
import { findAccount } from '../../db/money/accounts.ts';
import { setTestUsage } from '../../db/money/usage.ts';
import { accept, createPerson, newId, only, reserve, rows } from '../db/fixture.ts';
import { Gate } from '../fake-model/scenario.ts';
import { personAtUrl, type Person } from '../support/stack.ts';
import { until } from '../support/until.ts';
import type { Program } from './program.ts';
import { openCrashStage, type CrashStage } from './stage.ts';

/** A whole service whose process has another time than PostgreSQL: PostgreSQL's decides (G36). */
const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;
let stage: CrashStage;
let program: Program;
beforeAll(async () => {
  stage = await openCrashStage();
});
const gate = new Gate('request');
afterEach(() => program.kill());
afterAll(async () => {
  gate.open();
  await stage.close();
});

async function startAhead(aheadMs: number): Promise<void> {
  const preload = new URL('../support/clock-ahead.ts', import.meta.url).href;
  program = await stage.start('all', { NODE_OPTIONS: `--import=${preload}`, CLOCK_AHEAD_MS: String(aheadMs) });
  // Control: the process does have another time, and says so.
  const ready = await fetch(`${program.url}/health/ready`);
  expect([ready.status, await ready.json()]).toMatchObject([503, { clock: 'wrong', postgresql: 'ok' }]);
}

const periodsOf = (accountId: number) =>
  rows(
    stage.db.database.sql,
    sql<{
      used: number;
      open: boolean;
    }>`select used_tokens::float8 as used, starts_at <= now() and now() < ends_at as open
      from periods where account_id = ${accountId}`,
  );

test('a year ahead: nobody’s period is rolled by a look at the usage, nor by a send, which is debited in this month', async () => {
  await startAhead(370 * DAY);
  const looks = ['/api/ai-usage', '/api/ai-usage/history'];
  for (const used of [0, 40_000]) {
    const person: Person = await stage.person();
    const { accountId } = (await findAccount(stage.db.database.sql, person.userId))!;
    if (used > 0) await setTestUsage(stage.db.database, { accountId, percent: 40 });
    for (const path of looks) expect((await person.call('GET', path)).status).toBe(200);
    const { body: before } = await person.call('GET', '/api/ai-usage');
    expect(before).toMatchObject({ usedTokens: used, allowanceTokens: 100_000 });
    expect(Date.parse(before.resetsAt) - Date.now()).toBeLessThan(32 * DAY);
    const sent = await person.call('POST', '/api/chat/send', { message: '안녕' });
    expect(sent.status).toBe(200);
    const { body: after } = await person.call('GET', '/api/ai-usage');
    expect(after.period).toEqual(before.period);
    expect(await periodsOf(accountId)).toEqual([{ used: used + sent.body.usage.debitedTokens, open: true }]);
    const { body: history } = await person.call('GET', '/api/ai-usage/history?by=turn');
    expect([history.month, history.items.length]).toEqual([before.period.label, 1]);
  }
});

test.each([7, -7])(
  '%d minutes ahead: the holds of others count, its own live as long as they should, and a race of sends never passes 105 %%',
  async (minutes) => {
    await startAhead(minutes * MINUTE);
    const { database } = stage.db;
    const owner = await createPerson(database, { allowance: 10_000 });
    const person = personAtUrl(program.url, owner.userId, owner.token);
    const ceiling = 10_500;
    // Three turns of processes that keep time hold 6,222.
    for (let i = 0; i < 3; i += 1)
      expect(await reserve(database, (await accept(database, owner)).turnId)).toMatchObject({ kind: 'held' });
    const turnIds = Array.from({ length: 20 }, newId);
    // Whatever was admitted holds on.
    stage.model.always({ gate });
    const sent = await Promise.all(
      turnIds.map((turnId) =>
        person.call('POST', '/api/chat/send', { turnId, message: '안녕' }, { prefer: 'respond-async' }),
      ),
    );
    expect(new Set(sent.map(({ status }) => status))).toEqual(new Set([202, 409]));
    const decided = () =>
      only(
        database.sql,
        sql<{ admitted: number; refused: number }>`select count(*) filter (where ever_admitted)::int as admitted,
          count(*) filter (where state = 'refused')::int as refused from turns where id in (${sql.join(turnIds)})`,
      );
    await until(async () => {
      const { admitted, refused } = await decided();
      return admitted + refused === turnIds.length;
    });
    const { used, held } = await only(
      database.sql,
      sql<{
        used: number;
        held: number;
      }>`select (select used_tokens::float8 from periods where account_id = ${owner.accountId}) as used,
        coalesce(sum(tokens), 0)::float8 as held from holds where account_id = ${owner.accountId} and ended_at is null and expires_at > now()`,
    );
    expect(used + held).toBeLessThanOrEqual(ceiling);
    // Control: it was the ceiling that refused the others; the rest holds not even the smallest turn.
    expect(ceiling - used - held).toBeLessThan(256 + 100);
    // No hold of its own ends sooner or later than that of a process that keeps time.
    const { soonest, latest } = await only(
      database.sql,
      sql<{
        soonest: number;
        latest: number;
      }>`select min(extract(epoch from expires_at - h.created_at))::float8 as soonest,
        max(extract(epoch from expires_at - h.created_at))::float8 as latest
        from holds h where turn_id in (${sql.join(turnIds)})`,
    );
    expect(soonest).toBeGreaterThan(3 * 60);
    expect(latest).toBeLessThan(8 * 60);
  },
);
