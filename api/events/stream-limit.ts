import { AppError } from '../../domain/errors.ts';

/** Counts the open streams of each account in this process. */
export interface StreamLimit {
  /** @returns a function that gives the place back. @throws AppError rate_limited when all places are taken. */
  enter(accountId: number): () => void;
}

/** @param most streams of one account at once. Each costs three queries a change. */
export function createStreamLimit(most: number): StreamLimit {
  const open = new Map<number, number>();
  return {
    enter(accountId) {
      const count = open.get(accountId) ?? 0;
      if (count >= most) throw new AppError('rate_limited', { retryAfter: 30 });
      open.set(accountId, count + 1);
      let left = false;
      return () => {
        if (left) return;
        left = true;
        const now = (open.get(accountId) ?? 1) - 1;
        if (now === 0) open.delete(accountId);
        else open.set(accountId, now);
      };
    },
  };
}
