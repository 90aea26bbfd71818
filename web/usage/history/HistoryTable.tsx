import { useTranslation } from 'react-i18next';
import { useFigures } from '../figures.ts';

/** The chart's figures; adjustments stand in a column of their own, which is there only in a month that has some. */
export function HistoryTable({
  label,
  first,
  rows,
}: {
  label: string;
  first: string;
  rows: readonly { name: string; turns: number; used: number; adjusted: number }[];
}) {
  const { t } = useTranslation(['usage-page', 'usage']);
  const { tokens } = useFigures();
  const isAdjusted = rows.some(({ adjusted }) => adjusted !== 0);
  return (
    <table aria-label={label} className="mt-4 w-full text-left text-sm">
      <thead className="border-b border-line text-faint">
        <tr>
          <th scope="col" className="py-1.5 font-medium">
            {first}
          </th>
          <th scope="col" className="py-1.5 text-right font-medium">
            {t('history.turns')}
          </th>
          <th scope="col" className="py-1.5 text-right font-medium">
            {t('usage:figure.used')}
          </th>
          {isAdjusted && (
            <th scope="col" className="py-1.5 text-right font-medium">
              {t('history.adjusted')}
            </th>
          )}
        </tr>
      </thead>
      <tbody>
        {rows.map(({ name, turns, used, adjusted }) => (
          <tr key={name} className="border-b border-line last:border-0">
            <td className="py-1.5">{name}</td>
            <td className="py-1.5 text-right tabular-nums">{tokens(turns)}</td>
            <td className="py-1.5 text-right tabular-nums">{tokens(used)}</td>
            {isAdjusted && (
              <td className="py-1.5 text-right text-soft tabular-nums">
                {adjusted === 0 ? '–' : signed(adjusted, tokens)}
              </td>
            )}
          </tr>
        ))}
      </tbody>
    </table>
  );
}

/** A number whose sign is the point. */
export function signed(value: number, written: (value: number) => string): string {
  return value > 0 ? `+${written(value)}` : written(value);
}
