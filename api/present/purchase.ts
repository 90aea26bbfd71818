import type { z } from 'zod';
import type { Locale } from '../../domain/messages.ts';
import { BANK_CODES, bankNamed } from '../../domain/payments/banks.ts';
import { taxInside } from '../../domain/payments/money.ts';
import type { DepositAccount } from '../../domain/payments/purchase.ts';
import type { Refundable } from '../../domain/payments/refund.ts';
import type { PurchaseRow } from '../../db/purchases/purchases.ts';
import type { RefundRow } from '../../db/purchases/refunds.ts';
import type { purchase, purchaseDetail, refund } from '../wire/purchase.ts';
import { iso, isoOrNull } from './turn.ts';

export function presentPurchase(row: PurchaseRow, locale: Locale): z.infer<typeof purchase> {
  const { purchaseId, packId, tokens, bonusTokens, currency, amount, provider, method, livemode, state, failure } = row;
  return {
    purchaseId,
    packId,
    name: locale === 'ko' ? row.nameKo : row.nameEn,
    tokens,
    bonusTokens,
    currency,
    amount,
    taxAmount: taxInside({ amount, currency }),
    provider,
    method,
    livemode,
    automatic: row.customer !== null,
    state,
    failure,
    receiptUrl: row.receiptUrl,
    cashReceiptUrl: row.cashReceiptUrl,
    createdAt: iso(row.createdAt),
    paidAt: isoOrNull(row.paidAt),
    expiresAt: iso(row.expiresAt),
    dueAt: isoOrNull(row.dueAt),
  };
}

export function presentPurchaseDetail(
  {
    row,
    refundable,
    refunds,
    deposit,
    asksForAccount,
  }: {
    row: PurchaseRow;
    refundable: Refundable;
    refunds: readonly RefundRow[];
    deposit: DepositAccount | null;
    asksForAccount: boolean;
  },
  locale: Locale,
): z.infer<typeof purchaseDetail> {
  return {
    ...presentPurchase(row, locale),
    refundable,
    deposit,
    ...presentRefundsTo(asksForAccount, locale),
    refunds: refunds.map(presentRefund),
  };
}

/** @param asks whether a refund of the purchase must say to which account it goes. */
export function presentRefundsTo(
  asks: boolean,
  locale: Locale,
): Pick<z.infer<typeof purchaseDetail>, 'asksForRefundAccount' | 'refundBanks'> {
  const banks = asks ? BANK_CODES : [];
  return { asksForRefundAccount: asks, refundBanks: banks.map((code) => ({ code, name: bankNamed(code, locale) })) };
}

export function presentRefund(row: RefundRow): z.infer<typeof refund> {
  const { refundId, amount, state, failure, createdAt, endedAt } = row;
  return { refundId, amount, state, failure, createdAt: iso(createdAt), endedAt: isoOrNull(endedAt) };
}
