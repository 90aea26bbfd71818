import type { UseQueryResult } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { Button } from '../ui/Button.tsx';
import { Loading } from '../ui/Loading.tsx';
import { Problem } from '../ui/Problem.tsx';
import { useAddress } from './use-address.ts';

export interface Column<Item> {
  readonly title: string;
  readonly cell: (item: Item) => ReactNode;
  readonly numeric?: boolean;
}

interface TableProps<Item> {
  readonly label: string;
  readonly items: readonly Item[];
  readonly columns: readonly Column<Item>[];
  readonly keyOf: (item: Item) => string | number;
  readonly empty: string;
}

export function Table<Item>({ label, items, columns, keyOf, empty }: TableProps<Item>) {
  if (items.length === 0)
    return (
      <p className="rounded-xl border border-dashed border-line px-4 py-10 text-center text-sm text-faint">{empty}</p>
    );
  return (
    <div
      role="region"
      aria-label={label}
      tabIndex={0}
      className="overflow-x-auto rounded-xl border border-line bg-raised"
    >
      <table className="w-full text-left text-sm wrap-break-word">
        <thead className="border-b border-line bg-panel text-faint">
          <tr>
            {columns.map(({ title, numeric }) => (
              <th
                key={title}
                scope="col"
                className={`px-4 py-2 font-medium whitespace-nowrap ${numeric === true ? 'text-right' : ''}`}
              >
                {title}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {items.map((item) => (
            <tr key={keyOf(item)} className="border-b border-line last:border-0 hover:bg-hover/50">
              {columns.map(({ title, cell, numeric }) => (
                <td
                  key={title}
                  className={`px-4 py-2 align-top ${numeric === true ? 'text-right whitespace-nowrap tabular-nums' : ''}`}
                >
                  {cell(item)}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

/**
 * A table whose pages come from the server. The address says which page shows, so that going back and sending a link
 * work.
 */
export function PagedTable<Item>({
  query,
  ...table
}: Omit<TableProps<Item>, 'items'> & { query: UseQueryResult<{ items: Item[]; nextCursor: string | null }> }) {
  if (query.isPending) return <Loading />;
  return (
    <>
      {query.isError && <Problem error={query.error} onRetry={() => void query.refetch()} />}
      {query.data !== undefined && <Pages {...table} page={query.data} busy={query.isFetching} />}
    </>
  );
}

/** One page of such a table and the button to the next, for a page that came with other data. */
export function Pages<Item>({
  page: { items, nextCursor },
  busy,
  ...table
}: Omit<TableProps<Item>, 'items'> & { page: { items: readonly Item[]; nextCursor: string | null }; busy: boolean }) {
  const { t } = useTranslation('admin');
  const [address, setAddress] = useAddress();
  return (
    <div className="grid grid-cols-1 gap-3" aria-busy={busy}>
      <Table {...table} items={items} />
      {(nextCursor !== null || address['cursor'] !== undefined) && (
        <div className="flex justify-end gap-2">
          <Button
            size="small"
            disabled={address['cursor'] === undefined}
            onClick={() => setAddress({ cursor: undefined })}
          >
            {t('first')}
          </Button>
          <Button
            size="small"
            disabled={nextCursor === null}
            onClick={() => setAddress({ cursor: nextCursor ?? undefined }, { keep: true })}
          >
            {t('next')}
          </Button>
        </div>
      )}
    </div>
  );
}
