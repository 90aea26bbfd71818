import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useEffect, useState } from 'react';
import { answer } from '../../api/answer.ts';
import { ApiError } from '../../api/api-error.ts';
import { api } from '../../api/client.ts';
import { isOpenOutcome } from '../open-outcome.ts';
import { purchaseQuery, purchasesKey } from '../queries.ts';
import { forgetWishes } from '../wishes.ts';

/** How the browser came back from Toss's window. */
export interface TossReturn {
  /** `none`: not from there, or that is over. */
  readonly state: 'none' | 'confirming' | 'closed' | 'refused';
  /** Why the payment could not be confirmed; null while nothing is wrong. */
  readonly error: unknown;
  /** Confirms again; undefined where that would be refused again. */
  readonly again: (() => void) | undefined;
}

/** What Toss's window says when its buyer closed it, by its table of codes. */
const CLOSED = new Set(['PAY_PROCESS_CANCELED', 'USER_CANCEL']);

/**
 * Confirms the payment that Toss's window brought back in the address. It stays there until the server has answered, so
 * that whoever reloads in between, or was offline, goes on with it. The address is anybody's to write: the server asks
 * Toss whose payment it is and of what amount, and no text of it is shown.
 */
export function useTossReturn(purchaseId: string): TossReturn {
  const queries = useQueryClient();
  const [back] = useState(readAddress);
  const confirm = useMutation({
    mutationFn: (body: { paymentKey: string; amount: number }) =>
      answer(api.POST('/api/purchases/{purchaseId}/confirm', { params: { path: { purchaseId } }, body })),
    onSuccess(purchase) {
      queries.setQueryData(purchaseQuery(purchaseId).queryKey, purchase);
      forgetWishes();
    },
    onSettled(_purchase, error) {
      if (!isOpenOutcome(error)) history.replaceState(history.state, '', location.pathname);
      return queries.invalidateQueries({ queryKey: purchasesKey });
    },
  });
  const { mutate } = confirm;
  useEffect(() => {
    if (back.paid !== null) mutate(back.paid);
  }, [back, mutate]);
  if (back.paid === null)
    return {
      state: back.code === null ? 'none' : CLOSED.has(back.code) ? 'closed' : 'refused',
      error: null,
      again: undefined,
    };
  // What is pending goes on by itself, and what was declined the purchase's state says.
  const told =
    confirm.error instanceof ApiError && ['payment_pending', 'payment_declined'].includes(confirm.error.code);
  return {
    state: confirm.isPending ? 'confirming' : 'none',
    error: told ? null : confirm.error,
    again: isOpenOutcome(confirm.error) ? () => back.paid !== null && mutate(back.paid) : undefined,
  };
}

function readAddress(): {
  readonly paid: { readonly paymentKey: string; readonly amount: number } | null;
  readonly code: string | null;
} {
  const query = new URLSearchParams(location.search);
  const paymentKey = query.get('paymentKey');
  const amount = Number(query.get('amount'));
  return {
    paid: paymentKey === null ? null : { paymentKey, amount: Number.isSafeInteger(amount) && amount > 0 ? amount : 0 },
    code: query.get('code'),
  };
}
