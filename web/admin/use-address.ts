import { useCallback } from 'react';
import { useSearchParams } from 'wouter';

export type Address = Readonly<Record<string, string | undefined>>;

/**
 * Keeps the filters of a table in the address.
 * @returns them, and a function that changes some. A changed filter begins at the first page again. A change replaces
 *   the history's entry; with `keep` it adds one.
 */
export function useAddress(): [Address, (change: Address, options?: { keep?: boolean }) => void] {
  const [params, setParams] = useSearchParams();
  const change = useCallback(
    (changes: Address, { keep = false } = {}) => {
      setParams(
        (before) => {
          const next = new URLSearchParams(before);
          if (!('cursor' in changes)) next.delete('cursor');
          for (const [name, value] of Object.entries(changes)) {
            if (value === undefined || value === '') next.delete(name);
            else next.set(name, value);
          }
          return next;
        },
        { replace: !keep },
      );
    },
    [setParams],
  );
  return [Object.fromEntries(params), change];
}
