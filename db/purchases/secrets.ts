import { isDeepStrictEqual } from 'node:util';
import { sql } from 'kysely';
import { NO_SECRETS, type PurchaseSecrets, type Vault } from '../../domain/payments/vault.ts';
import { first, type Sql, type Tx } from '../database.ts';

/** What of a purchase is sealed; nothing when its key was lost. */
export async function readSecrets(on: Sql, vault: Vault, purchaseId: string): Promise<PurchaseSecrets> {
  const row = await first(
    sql<{ sealed: Buffer }>`select sealed from purchase_secrets where purchase_id = ${purchaseId}`,
    on,
  );
  const text = row === null ? null : vault.open(purchaseId, row.sealed);
  return text === null ? NO_SECRETS : { ...NO_SECRETS, ...(JSON.parse(text) as PurchaseSecrets) };
}

/** The caller holds the purchase's lock. A row without secrets is deleted. */
export async function changeSecrets(
  tx: Tx,
  vault: Vault,
  purchaseId: string,
  change: (known: PurchaseSecrets) => PurchaseSecrets,
): Promise<void> {
  const known = await readSecrets(tx, vault, purchaseId);
  const changed = change(known);
  if (isDeepStrictEqual(changed, known)) return;
  if (isDeepStrictEqual(changed, NO_SECRETS)) {
    await sql`delete from purchase_secrets where purchase_id = ${purchaseId}`.execute(tx);
    return;
  }
  const sealed = vault.seal(purchaseId, JSON.stringify(changed));
  await sql`insert into purchase_secrets (purchase_id, sealed) values (${purchaseId}, ${sealed})
    on conflict (purchase_id) do update set sealed = excluded.sealed`.execute(tx);
}
