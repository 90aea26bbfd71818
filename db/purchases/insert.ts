import { sql } from 'kysely';
import type { PaymentMethod, ProviderName } from '../../domain/payments/provider.ts';
import type { Tx } from '../database.ts';
import type { PublishedPack } from './packs.ts';

export interface NewPurchase {
  readonly userId: number;
  readonly pack: PublishedPack;
  readonly provider: ProviderName;
  readonly method: PaymentMethod | null;
  readonly livemode: boolean;
  /** The same key makes one purchase, however often it is sent. */
  readonly key: string;
  /** When the provider may no longer be paid. Milliseconds. */
  readonly expiresAt: number;
}

/** The caller holds the account's lock. */
export async function insertPurchase(
  tx: Tx,
  {
    purchaseId,
    accountId,
    pack,
    provider,
    method,
    livemode,
    userId,
    key,
    expiresAt,
  }: Omit<NewPurchase, 'pack'> & {
    purchaseId: string;
    accountId: number;
    pack: Omit<PublishedPack, 'name'>;
  },
): Promise<void> {
  await sql`insert into purchases (id, account_id, user_id, pack_id, pack_version, tokens, bonus_tokens, currency, amount,
      provider, method, livemode, idempotency_key, expires_at)
    values (${purchaseId}, ${accountId}, ${userId}, ${pack.packId}, ${pack.version}, ${pack.tokens}, ${pack.bonusTokens}, ${pack.currency},
      ${pack.amount}, ${provider}, ${method}, ${livemode}, ${key}, ${new Date(expiresAt)})`.execute(tx);
}
