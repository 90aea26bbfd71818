import type { UseQueryResult } from '@tanstack/react-query';
import type { ComponentProps, ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { Button } from '../ui/Button.tsx';
import { Loading } from '../ui/Loading.tsx';
import { STACKED } from '../ui/table/stacked.ts';
import { AdminProblem } from './AdminProblem.tsx';
import { TableCsv } from './TableCsv.tsx';
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
      {/* On a phone each row is a card, with its columns named beside their values. The roles keep it a table. */}
      <table role="table" className={`w-full text-left text-sm wrap-break-word ${STACKED.table}`}>
        <thead role="rowgroup" className={`border-b border-line bg-panel text-faint ${STACKED.head}`}>
          <tr role="row">
            {columns.map(({ title, numeric }) => (
              <th
                key={title}
                role="columnheader"
                scope="col"
                className={`px-4 py-2 font-medium whitespace-nowrap ${numeric === true ? 'text-right' : ''}`}
              >
                {title}
              </th>
            ))}
          </tr>
        </thead>
        <tbody role="rowgroup" className={STACKED.body}>
          {items.map((item) => (
            <tr
              key={keyOf(item)}
              role="row"
              className={`border-b border-line last:border-0 hover:bg-hover/50 ${STACKED.row}`}
            >
              {columns.map(({ title, cell, numeric }) => (
                <td
                  key={title}
                  role="cell"
                  data-title={title}
                  className={`px-4 py-2 align-top ${STACKED.cell} ${numeric === true ? 'text-right whitespace-nowrap tabular-nums' : ''}`}
                >
                  <div className={STACKED.value}>{cell(item)}</div>
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
  csv,
  ...table
}: Omit<TableProps<Item>, 'items'> & {
  query: UseQueryResult<{ items: Item[]; nextCursor: string | null }>;
  /** The call that gives the whole table as CSV, too. */
  csv?: ComponentProps<typeof TableCsv>;
}) {
  if (query.isPending) return <Loading />;
  return (
    <>
      {query.isError && <AdminProblem error={query.error} onRetry={() => void query.refetch()} />}
      {csv !== undefined && !query.isError && (
        <div className="mb-3 flex justify-end">
          <TableCsv {...csv} />
        </div>
      )}
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
