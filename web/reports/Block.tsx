import { useId, type ReactNode } from 'react';
import { STACKED } from '../ui/table/stacked.ts';

/**
 * A part of a report with a heading of its own. It is not cut by the end of a sheet, unless it is longer than one.
 * @param long whether it may be; then it is cut between two rows.
 */
export function Block({ title, long = false, children }: { title: string; long?: boolean; children: ReactNode }) {
  const id = useId();
  return (
    <section aria-labelledby={id} className={`min-w-0 ${long ? '' : 'break-inside-avoid'}`}>
      <h2 id={id} className="mb-3 break-after-avoid text-lg font-semibold">
        {title}
      </h2>
      {children}
    </section>
  );
}

/** A figure with its name above and what it is of below. */
export function Figure({ name, value, of }: { name: string; value: ReactNode; of?: ReactNode }) {
  return (
    <div className="min-w-0 rounded-xl border border-line bg-raised px-4 py-3">
      <dt className="text-sm text-faint">{name}</dt>
      <dd className="mt-1">
        <span className="text-lg font-semibold tabular-nums">{value}</span>
        {of !== undefined && <span className="block text-sm text-soft tabular-nums">{of}</span>}
      </dd>
    </div>
  );
}

/** With so many columns a phone shows each row as a card. */
const MANY_COLUMNS = 4;

/** A table whose first column is text and whose others are figures. */
export function FigureTable({
  label,
  columns,
  rows,
}: {
  label: string;
  columns: readonly string[];
  rows: readonly { readonly key: string; readonly cells: readonly ReactNode[] }[];
}) {
  const look = columns.length < MANY_COLUMNS ? null : STACKED;
  return (
    <div
      role="group"
      aria-label={label}
      tabIndex={0}
      className="overflow-x-auto rounded-xl border border-line bg-raised"
    >
      <table role="table" className={`w-full text-left text-sm ${look?.table ?? ''}`}>
        <thead role="rowgroup" className={`border-b border-line bg-panel text-faint ${look?.head ?? ''}`}>
          <tr role="row">
            {columns.map((column, i) => (
              <th
                key={column}
                role="columnheader"
                scope="col"
                className={`px-2 py-2 align-bottom font-medium wrap-normal first:pl-3 last:pr-3 sm:px-3 sm:whitespace-nowrap ${i === 0 ? '' : 'text-right'}`}
              >
                {column}
              </th>
            ))}
          </tr>
        </thead>
        <tbody role="rowgroup" className={look?.body ?? ''}>
          {rows.map(({ key, cells }) => (
            <tr
              key={key}
              role="row"
              className={`break-inside-avoid border-b border-line last:border-0 ${look?.row ?? ''}`}
            >
              {cells.map((cell, i) => (
                <td
                  key={columns[i]}
                  role="cell"
                  data-title={columns[i]}
                  className={`px-2 py-2 align-top first:pl-3 last:pr-3 sm:px-3 ${
                    i > 0
                      ? `text-right whitespace-nowrap tabular-nums ${look === null ? '' : `max-sm:last:pr-0! ${look.cell}`}`
                      : `min-w-24 wrap-anywhere sm:min-w-28 ${look === null ? '' : 'max-sm:block max-sm:p-0! max-sm:pb-1! max-sm:font-medium'}`
                  }`}
                >
                  {cell}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
