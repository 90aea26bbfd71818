import { sql } from 'kysely';
import { one, type Sql, type Tx } from '../database.ts';
import { bookGrant, bookReversal } from '../money/ledger.ts';
import type { LockedAccount } from '../money/locked-account.ts';

/** A grant of a purchase, and how many of its tokens nothing has taken back. */
interface Grant {
  readonly entryId: number;
  readonly left: number;
}

/** The tokens that a purchase has given, less what was taken back, by grant, the newest first. */
export async function grantsOf(on: Sql, purchaseId: string): Promise<Grant[]> {
  const { rows } = await sql<Grant>`
    select e.id::float8 as "entryId", (e.tokens + coalesce((select sum(tokens) from ledger_entries r where r.reverses_id = e.id), 0))::float8 as left
    from purchase_bookings b join ledger_entries e on e.id = b.entry_id
    where b.purchase_id = ${purchaseId} and e.kind = 'grant' order by e.id desc`.execute(on);
  return rows;
}

/** What grants after those of this purchase have given the account and nothing has taken back. */
export async function givenLater(
  on: Sql,
  { accountId, purchaseId }: { accountId: number; purchaseId: string },
): Promise<number> {
  const { tokens } = await one(
    sql<{ tokens: number }>`
    with own as (select entry_id from purchase_bookings where purchase_id = ${purchaseId})
    select coalesce(sum(e.tokens + coalesce((select sum(tokens) from ledger_entries r where r.reverses_id = e.id), 0)), 0)::float8 as tokens
    from ledger_entries e where e.account_id = ${accountId} and e.kind = 'grant' and e.id > (select max(entry_id) from own)
      and e.id not in (select entry_id from own)`,
    on,
  );
  return tokens;
}

/**
 * Books the difference between what a purchase has given and what it should have given. The caller holds the locks of
 * the account and the purchase.
 * @param look the number of the look that it follows: one look books once.
 */
export async function bookDifference(
  tx: Tx,
  account: LockedAccount,
  { purchaseId, seq, wanted, reason }: { purchaseId: string; seq: number; wanted: number; reason: string },
): Promise<{ readonly given: number; readonly booked: number }> {
  const grants = await grantsOf(tx, purchaseId);
  const given = grants.reduce((sum, { left }) => sum + left, 0);
  const key = `purchase/${purchaseId}/${seq}`;
  let balance = account.balance;
  if (wanted > given) {
    const { entryId } = await bookGrant(tx, account, { tokens: wanted - given, reason, key });
    await remember(tx, { purchaseId, seq, entryId });
  }
  let toTake = given - wanted;
  for (const grant of grants) {
    const tokens = Math.min(grant.left, toTake);
    if (tokens <= 0) continue;
    const taken = await bookReversal(
      tx,
      { ...account, balance },
      {
        tokens,
        reason,
        key: `${key}/${grant.entryId}`,
        reversesId: grant.entryId,
      },
    );
    await remember(tx, { purchaseId, seq, entryId: taken.entryId });
    balance = taken.balance;
    toTake -= tokens;
  }
  return { given, booked: wanted - given };
}

async function remember(
  tx: Tx,
  { purchaseId, seq, entryId }: { purchaseId: string; seq: number; entryId: number },
): Promise<void> {
  await sql`insert into purchase_bookings (entry_id, purchase_id, seq) values (${entryId}, ${purchaseId}, ${seq})`.execute(
    tx,
  );
}
