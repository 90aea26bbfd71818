import { defineEntity, LockMode, MikroORM, p, type EntityManager, type InferEntity } from '@mikro-orm/postgresql';
import { decideAdmission } from '../domain/admission.ts';
import { holdTimeoutMs } from '../domain/attempt-limits.ts';
import { decideDebit, type Balance } from '../domain/balance.ts';
import { meter } from '../domain/metering.ts';
import type { PricedModel } from '../domain/model.ts';
import { dayOf } from '../domain/period.ts';
import type { LedgerForm } from './pairs.ts';

/**
 * The ledger as an ORM invites to write it: one transaction for the hold and one for the settling, each with `SELECT …
 * FOR UPDATE` of the account, then entities read, changed and flushed by MikroORM's unit of work. Tables, decisions of
 * `domain/` and the rows afterwards are the same as the real path's.
 */
export async function openNaive(
  url: string,
  { poolMax, model }: { poolMax: number; model: PricedModel },
): Promise<LedgerForm> {
  const orm = await MikroORM.init({
    clientUrl: url,
    entities: [Account, Period, Turn, Hold, Entry, Rollup],
    pool: { min: 0, max: poolMax, idleTimeoutMillis: 600_000 },
    debug: false,
    logger: () => {},
  });
  return {
    hold: ({ turnId, accountId, runId }) =>
      orm.em.fork().transactional(async (em) => {
        const now = Date.now();
        const [account, period] = await lock(em, accountId);
        const turn = await em.findOneOrFail(Turn, turnId);
        const live = await em.find(Hold, { accountId, state: 'pending', expiresAt: { $gt: new Date(now) } });
        const decision = decideAdmission({
          balance: balanceOf(account, period),
          heldByOthers: live.reduce((sum, { tokens }) => sum + tokens, 0),
          model,
          askedOutput: null,
          baseTokens: turn.questionTokens + 7,
          history: [],
        });
        if (decision.kind !== 'admitted') return null;
        const { rate } = model;
        const { tokens, promptTokens, outputLimit } = decision.hold;
        const hold = em.create(Hold, {
          id: crypto.randomUUID(),
          accountId,
          turnId,
          runId,
          ordinal: 1,
          state: 'pending',
          tokens,
          promptTokens,
          outputLimit,
          rateId: rate.id,
          rateInput: rate.input,
          rateCachedInput: rate.cachedInput,
          rateOutput: rate.output,
          expiresAt: new Date(now + holdTimeoutMs(outputLimit)),
        });
        Object.assign(turn, { runId, admittedAt: new Date(), everAdmitted: true, outputLimit, touchedAt: new Date() });
        await em.flush();
        return hold.id;
      }),
    settle: ({ turnId, accountId, holdId, answer }) =>
      orm.em.fork().transactional(async (em) => {
        const [account, period] = await lock(em, accountId);
        const [turn, hold] = [await em.findOneOrFail(Turn, turnId), await em.findOneOrFail(Hold, holdId)];
        const tokens = meter(answer, model.rate);
        const delta = decideDebit(balanceOf(account, period), tokens);
        const day = dayOf(Date.now(), account.timeZone);
        const rollup =
          (await em.findOne(Rollup, { periodId: period.id, day, rateId: hold.rateId })) ??
          em.create(Rollup, {
            periodId: period.id,
            day,
            rateId: hold.rateId,
            turns: 0,
            promptTokens: 0,
            cachedTokens: 0,
            completionTokens: 0,
            usedTokens: 0,
          });
        rollup.turns += 1;
        rollup.promptTokens += answer.promptTokens;
        rollup.completionTokens += answer.completionTokens;
        rollup.usedTokens += tokens;
        em.create(Entry, {
          accountId,
          periodId: period.id,
          day,
          kind: 'debit',
          turnId,
          holdId,
          rateId: hold.rateId,
          ...answer,
          tokens,
          purchasedDelta: delta.purchased,
          debtDelta: delta.debt,
          spentPurchasedDelta: delta.spentPurchased,
          spentAllowanceDelta: delta.spentAllowance,
          overageDelta: delta.overage,
          usedDelta: delta.used,
        });
        account.purchasedTokens += delta.purchased;
        period.usedTokens += delta.used;
        period.spentPurchasedTokens += delta.spentPurchased;
        period.spentAllowanceTokens += delta.spentAllowance;
        period.overageTokens += delta.overage;
        Object.assign(hold, { state: 'settled', endedAt: new Date() });
        Object.assign(turn, { state: 'completed', debitedTokens: tokens, endedAt: new Date(), touchedAt: new Date() });
        await em.flush();
      }),
    close: () => orm.close(true),
  };
}

async function lock(em: EntityManager, accountId: number): Promise<[Account, Period]> {
  const account = await em.findOneOrFail(Account, accountId, { lockMode: LockMode.PESSIMISTIC_WRITE });
  return [account, await em.findOneOrFail(Period, { accountId }, { orderBy: { endsAt: 'desc' } })];
}

function balanceOf(account: Account, period: Period): Balance {
  return {
    allowance: period.allowanceTokens,
    purchased: account.purchasedTokens,
    debt: account.debtTokens,
    used: period.usedTokens,
    spentPurchased: period.spentPurchasedTokens,
    spentAllowance: period.spentAllowanceTokens,
    overage: period.overageTokens,
  };
}

const tokens = () => p.bigint('number');

const Account = defineEntity({
  name: 'NaiveAccount',
  tableName: 'accounts',
  properties: { id: tokens().primary(), timeZone: p.text(), purchasedTokens: tokens(), debtTokens: tokens() },
});
const Period = defineEntity({
  name: 'NaivePeriod',
  tableName: 'periods',
  properties: {
    id: tokens().primary(),
    accountId: tokens(),
    endsAt: p.datetime(),
    allowanceTokens: tokens(),
    usedTokens: tokens(),
    spentPurchasedTokens: tokens(),
    spentAllowanceTokens: tokens(),
    overageTokens: tokens(),
  },
});
const Turn = defineEntity({
  name: 'NaiveTurn',
  tableName: 'turns',
  properties: {
    id: p.uuid().primary(),
    state: p.text(),
    questionTokens: p.integer(),
    runId: p.text().nullable(),
    outputLimit: p.integer().nullable(),
    everAdmitted: p.boolean(),
    admittedAt: p.datetime().nullable(),
    debitedTokens: tokens().nullable(),
    endedAt: p.datetime().nullable(),
    touchedAt: p.datetime(),
  },
});
const Hold = defineEntity({
  name: 'NaiveHold',
  tableName: 'holds',
  properties: {
    id: p.uuid().primary(),
    accountId: tokens(),
    turnId: p.uuid(),
    runId: p.text(),
    ordinal: p.integer(),
    state: p.text(),
    tokens: tokens(),
    promptTokens: p.integer(),
    outputLimit: p.integer(),
    rateId: p.integer(),
    rateInput: p.integer(),
    rateCachedInput: p.integer(),
    rateOutput: p.integer(),
    expiresAt: p.datetime(),
    endedAt: p.datetime().nullable(),
  },
});
const Entry = defineEntity({
  name: 'NaiveEntry',
  tableName: 'ledger_entries',
  properties: {
    id: tokens().primary().autoincrement(),
    accountId: tokens(),
    periodId: tokens(),
    day: p.date(),
    kind: p.text(),
    turnId: p.uuid(),
    holdId: p.uuid(),
    rateId: p.integer(),
    promptTokens: p.integer(),
    cachedTokens: p.integer(),
    completionTokens: p.integer(),
    tokens: tokens(),
    purchasedDelta: tokens(),
    debtDelta: tokens(),
    spentPurchasedDelta: tokens(),
    spentAllowanceDelta: tokens(),
    overageDelta: tokens(),
    usedDelta: tokens(),
  },
});
const Rollup = defineEntity({
  name: 'NaiveRollup',
  tableName: 'usage_rollups',
  properties: {
    periodId: tokens().primary(),
    day: p.date().primary(),
    rateId: p.integer().primary(),
    turns: p.integer(),
    promptTokens: tokens(),
    cachedTokens: tokens(),
    completionTokens: tokens(),
    usedTokens: tokens(),
  },
});
type Account = InferEntity<typeof Account>;
type Period = InferEntity<typeof Period>;
