import { useCallback } from 'react';
import { useSearchParams } from 'wouter';

export type Address = Readonly<Record<string, string | undefined>>;

/**
 * The filters of a table, as they stand in the address.
 * @returns them, and a way to change some; a changed filter begins at the first page unless the change is to `keep` a
 *   step of its own in the history.
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
