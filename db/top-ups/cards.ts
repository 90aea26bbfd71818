import { sql } from 'kysely';
import { v4 as uuidv4, v7 as uuidv7 } from 'uuid';
import { AppError } from '../../domain/errors.ts';
import { CARD_FORM_LASTS_MS, MOST_CARDS_A_DAY, type CardShown } from '../../domain/payments/kept-card.ts';
import type { ProviderName } from '../../domain/payments/provider.ts';
import type { Vault } from '../../domain/payments/vault.ts';
import { columnsOf, type RowOf } from '../columns.ts';
import { first, one, type Database, type Sql, type Tx } from '../database.ts';
import { PaymentMethod } from '../entities/payments/top-up.ts';
import { lockAccountRow } from '../money/accounts.ts';

const columns = columnsOf(PaymentMethod, 'm', {
  methodId: 'id',
  accountId: 'accountId',
  provider: 'provider',
  livemode: 'livemode',
  state: 'state',
  sessionId: 'providerSessionId',
  brand: 'brand',
  last4: 'last4',
  expires: 'expires',
  createdAt: 'createdAt',
  lookedAt: 'lookedAt',
  refusedAt: 'refusedAt',
});

/** A card as it is shown, without the name by which it is charged. Instants in milliseconds. */
export type CardRow = RowOf<typeof columns>;

export interface Customer {
  readonly key: string;
  /** The provider's name; null until it has been asked. */
  readonly ref: string | null;
}

interface At {
  readonly accountId: number;
  readonly provider: ProviderName;
  readonly livemode: boolean;
}

/**
 * Makes the row of a card that its owner is about to give.
 * @throws AppError rate_limited
 */
export async function openCard(
  database: Database,
  { accountId, provider, livemode }: At,
): Promise<{ methodId: string; customer: Customer }> {
  return database.locking({ accountId }, async (tx) => {
    await lockAccountRow(tx, accountId);
    const { made } = await one(
      sql<{ made: number }>`select count(*)::float8 as made from payment_methods
        where account_id = ${accountId} and created_at > ${tx.clock()} - interval '1 day'`,
      tx,
    );
    if (made >= MOST_CARDS_A_DAY) throw new AppError('rate_limited', { retryAfter: 3_600 });
    const methodId = uuidv7();
    await sql`insert into payment_customers (account_id, provider, livemode, key) values (${accountId}, ${provider}, ${livemode}, ${uuidv4()})
      on conflict do nothing`.execute(tx);
    await sql`insert into payment_methods (id, account_id, provider, livemode, created_at)
      values (${methodId}, ${accountId}, ${provider}, ${livemode}, ${tx.clock()})`.execute(tx);
    return { methodId, customer: await getCustomer(tx, { accountId, provider, livemode }) };
  });
}

async function getCustomer(on: Sql, { accountId, provider, livemode }: At): Promise<Customer> {
  return one(
    sql<Customer>`select key, provider_ref as ref from payment_customers
      where account_id = ${accountId} and provider = ${provider} and livemode = ${livemode}`,
    on,
  );
}

/** The first name stands. */
export async function nameCustomer(on: Sql, { key, ref }: { key: string; ref: string }): Promise<void> {
  await sql`update payment_customers set provider_ref = coalesce(provider_ref, ${ref}) where key = ${key}`.execute(on);
}

export async function nameCardForm(on: Sql, methodId: string, sessionId: string): Promise<void> {
  await sql`update payment_methods set provider_session_id = coalesce(provider_session_id, ${sessionId}) where id = ${methodId}`.execute(
    on,
  );
}

/** The provider says that it keeps the card. One that was removed meanwhile stays removed, and is to be forgotten. */
export async function keepCard(
  on: Sql,
  vault: Vault,
  { methodId, ref, brand, last4, expires }: CardShown & { methodId: string; ref: string },
): Promise<void> {
  await sql`update payment_methods set sealed = ${vault.seal(methodId, ref)}, brand = ${brand}, last4 = ${last4}, expires = ${expires},
      state = case when state = 'open' then 'active' else state end, active_at = coalesce(active_at, ${on.clock()}), looked_at = ${on.clock()}
    where id = ${methodId} and sealed is null`.execute(on);
}

export async function noteCardLook(on: Sql, methodId: string): Promise<void> {
  await sql`update payment_methods set looked_at = ${on.clock()} where id = ${methodId}`.execute(on);
}

/** Those that are kept, the newest first. */
export async function listCards(on: Sql, accountId: number): Promise<CardRow[]> {
  const { rows } = await sql<CardRow>`select ${columns} from payment_methods m
    where account_id = ${accountId} and state = 'active' order by created_at desc, id desc`.execute(on);
  return rows;
}

/** Those whose owner may still be at the provider's page. */
export async function findOpenCards(on: Sql, accountId: number): Promise<CardRow[]> {
  const { rows } = await sql<CardRow>`select ${columns} from payment_methods m
    where account_id = ${accountId} and state = 'open' and provider_session_id is not null
      and created_at > ${on.clock()} - ${CARD_FORM_LASTS_MS}::float8 * interval '1 millisecond'`.execute(on);
  return rows;
}

/** Null when there is none. */
export function findCard(on: Sql, methodId: string): Promise<CardRow | null> {
  return first(sql<CardRow>`select ${columns} from payment_methods m where id = ${methodId}`, on);
}

/** By the provider's name of its form; null when there is none. */
export function findCardOfForm(
  on: Sql,
  { provider, sessionId }: { provider: ProviderName; sessionId: string },
): Promise<CardRow | null> {
  return first(
    sql<CardRow>`select ${columns} from payment_methods m where provider = ${provider} and provider_session_id = ${sessionId}`,
    on,
  );
}

/** Null unless it is the account's and is kept. */
export async function findOwnCard(on: Sql, accountId: number, methodId: string): Promise<CardRow | null> {
  const found = await findCard(on, methodId);
  return found !== null && found.accountId === accountId && found.state === 'active' ? found : null;
}

/** By what a card is charged; null when it is not kept, or was sealed by another key. */
export async function readCardRef(on: Sql, vault: Vault, methodId: string): Promise<string | null> {
  const row = await first(
    sql<{ sealed: Buffer | null }>`select sealed from payment_methods where id = ${methodId}`,
    on,
  );
  return row?.sealed == null ? null : vault.open(methodId, row.sealed);
}

/**
 * Takes a card away. What it paid automatically stands still from now on; whoever removes it knows.
 * @throws AppError not_found
 */
export async function removeCard(
  database: Database,
  { accountId, methodId }: { accountId: number; methodId: string },
): Promise<void> {
  await database.locking({ accountId }, async (tx) => {
    await lockAccountRow(tx, accountId);
    const gone = await sql`update payment_methods set state = 'removed'
      where id = ${methodId} and account_id = ${accountId} and state <> 'removed'`.execute(tx);
    if (Number(gone.numAffectedRows) === 0) throw new AppError('not_found');
    await sql`update auto_top_ups set state = 'paused', pause = 'card_gone', paused_at = ${tx.clock()}, changed_at = ${tx.clock()}
      where account_id = ${accountId} and method_id = ${methodId} and state = 'on'`.execute(tx);
  });
}

/** Removed cards that the provider still keeps. */
export async function findCardsToForget(on: Sql, limit: number): Promise<CardRow[]> {
  const { rows } = await sql<CardRow>`select ${columns} from payment_methods m
    where state = 'removed' and forgotten_at is null and sealed is not null order by created_at limit ${limit}`.execute(
    on,
  );
  return rows;
}

export async function noteForgotten(on: Sql, methodId: string): Promise<void> {
  await sql`update payment_methods set forgotten_at = ${on.clock()}, sealed = null where id = ${methodId} and state = 'removed'`.execute(
    on,
  );
}

/** What a bank says of a card decides whether it may be chosen again. The caller holds the account's lock. */
export async function judgeCard(tx: Tx, methodId: string, isRefused: boolean): Promise<void> {
  await sql`update payment_methods set refused_at = ${isRefused ? tx.clock() : null} where id = ${methodId}`.execute(
    tx,
  );
}
