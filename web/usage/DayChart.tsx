import { useTranslation } from 'react-i18next';
import type { Schemas } from '../api/schemas.ts';
import { useFigures } from './figures.ts';

const HEIGHT = 120;
const SLOT = 20;

/**
 * Tokens per day of the month. The table below says the same, so a screen reader can skip the picture.
 * @param days oldest first.
 */
export function DayChart({ days, month }: { days: readonly Schemas['DayUsage'][]; month: string }) {
  const { t } = useTranslation('usage');
  const { tokens } = useFigures();
  const [year = 0, number = 1] = month.split('-').map(Number);
  const length = new Date(Date.UTC(year, number, 0)).getUTCDate();
  const used = new Map(days.map(({ day, usedTokens }) => [day, Math.max(0, usedTokens)]));
  const most = Math.max(1, ...used.values());
  return (
    <svg
      role="img"
      aria-label={t('history.chart', { month, most: tokens(most) })}
      viewBox={`0 0 ${length * SLOT} ${HEIGHT + 22}`}
      className="w-full rounded-xl border border-line bg-raised p-4"
    >
      {Array.from({ length }, (_, i) => {
        const value = used.get(`${month}-${String(i + 1).padStart(2, '0')}`) ?? 0;
        const height = value === 0 ? 2 : Math.max(4, (value / most) * HEIGHT);
        return (
          <g key={i}>
            <rect
              x={i * SLOT + 4}
              y={HEIGHT - height}
              width={SLOT - 8}
              height={height}
              rx="3"
              className={value === 0 ? 'fill-line' : 'fill-accent-fill'}
            />
            {(i === 0 || (i + 1) % 5 === 0) && (
              <text x={i * SLOT + SLOT / 2} y={HEIGHT + 16} textAnchor="middle" className="fill-faint text-[10px]">
                {i + 1}
              </text>
            )}
          </g>
        );
      })}
    </svg>
  );
}
