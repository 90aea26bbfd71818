import { z } from 'zod';
import type { Listed } from '../../../domain/payments/listed.ts';
import { answerOf } from '../call.ts';
import { ProviderUnavailable } from '../provider.ts';
import { told } from '../told.ts';
import { instantOf } from './payment.ts';

/** Toss says that it may take a minute. */
const LISTED_WITHIN_MS = 90_000;
const A_PAGE = 1_000;
const MOST_PAGES = 100;

const transactions = z.array(
  z.object({
    transactionKey: told,
    paymentKey: told,
    orderId: z.union([told, z.literal('')]),
    status: z.string(),
    transactionAt: z.string(),
    amount: z.int(),
    currency: told.nullish(),
  }),
);

/** All movements of money that Toss Payments says happened. @throws ProviderUnavailable. */
export async function listTransactions(
  { apiUrl, authorization }: { readonly apiUrl: string; readonly authorization: string },
  { from, to }: { readonly from: number; readonly to: number },
): Promise<Listed[]> {
  const all: Listed[] = [];
  let after: string | null = null;
  for (let n = 0; n < MOST_PAGES; n += 1) {
    const query: URLSearchParams = new URLSearchParams({
      startDate: koreanTime(from),
      endDate: koreanTime(to),
      limit: String(A_PAGE),
      ...(after === null ? {} : { startingAfter: after }),
    });
    const { status, body } = await answerOf(`${apiUrl}/v1/transactions?${query.toString()}`, {
      headers: { authorization },
      withinMs: LISTED_WITHIN_MS,
    });
    const found = transactions.safeParse(body);
    if (status !== 200 || !found.success) throw new ProviderUnavailable(`Toss Payments answered ${status} to a list`);
    all.push(...found.data.map(listedOf));
    after = found.data.at(-1)?.transactionKey ?? null;
    if (found.data.length < A_PAGE) return all;
  }
  throw new ProviderUnavailable('a list of Toss Payments does not end');
}

/** A deposit account that was given out is no movement of money; what is given back is one of the same payment. */
function listedOf(row: z.infer<typeof transactions>[number]): Listed {
  const isTaken = row.status === 'DONE' && row.amount > 0;
  return {
    kind: isTaken ? 'payment' : 'change',
    purchaseId: row.orderId === '' ? null : row.orderId,
    sessionId: null,
    paymentId: row.paymentKey,
    taken: isTaken
      ? { amount: row.amount, currency: row.currency ?? 'KRW', at: instantOf(row.transactionAt) ?? 0, refunded: null }
      : null,
  };
}

/** Toss takes Korean time without a zone. */
function koreanTime(at: number): string {
  return new Date(at + 9 * 3_600_000).toISOString().slice(0, 19);
}
