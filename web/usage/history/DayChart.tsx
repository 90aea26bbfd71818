import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { Schemas } from '../../api/schemas.ts';
import { useFigures } from '../figures.ts';
import { axisTop, daysIn } from './months.ts';

type Day = Pick<Schemas['DayUsage'], 'day' | 'turns' | 'usedTokens'>;

/**
 * Tokens per day of the month, with an axis; the day under the pointer is told above it. The table below says the same,
 * so a screen reader can skip the picture.
 */
export function DayChart({ days, month }: { days: readonly Day[]; month: string }) {
  const { t } = useTranslation('usage-page');
  const { tokens, dayOf, monthOf } = useFigures();
  const [pointed, setPointed] = useState<string | null>(null);
  const used = new Map(days.map((day) => [day.day, day]));
  const most = Math.max(10, ...days.map(({ usedTokens }) => usedTokens));
  const top = axisTop(most);
  if (days.every(({ usedTokens }) => usedTokens === 0)) return null;
  const shown = pointed === null ? undefined : (used.get(pointed) ?? { day: pointed, turns: 0, usedTokens: 0 });
  return (
    <figure className="rounded-xl border border-line bg-raised p-4" onPointerLeave={() => setPointed(null)}>
      <figcaption aria-hidden className="mb-2 h-5 text-xs text-soft tabular-nums">
        {shown !== undefined &&
          t('history.onDay', {
            count: shown.turns,
            day: dayOf(shown.day),
            tokens: tokens(shown.usedTokens),
            turns: tokens(shown.turns),
          })}
      </figcaption>
      <div
        role="img"
        aria-label={t('history.chart', { month: monthOf(month), most: tokens(most) })}
        className="grid grid-cols-[auto_minmax(0,1fr)] gap-x-2 text-[11px] leading-none text-faint tabular-nums"
      >
        <div className="flex h-32 flex-col items-end justify-between">
          {[top, top / 2, 0].map((value) => (
            <span key={value} className="-translate-y-1/2">
              {tokens(value)}
            </span>
          ))}
        </div>
        <div className="relative flex h-32 items-stretch bg-[linear-gradient(var(--color-line)_1px,transparent_1px),linear-gradient(var(--color-line)_1px,transparent_1px)] bg-size-[100%_50%] border-b border-line">
          {Array.from({ length: daysIn(month) }, (_, i) => {
            const day = `${month}-${String(i + 1).padStart(2, '0')}`;
            const value = used.get(day)?.usedTokens ?? 0;
            return (
              <div
                key={day}
                onPointerEnter={() => setPointed(day)}
                onPointerDown={() => setPointed(day)}
                className={`flex flex-1 items-end px-px sm:px-0.5 ${day === pointed ? 'bg-hover' : ''}`}
              >
                {value > 0 && (
                  <div
                    className="min-h-1 w-full rounded-t-sm bg-accent-fill"
                    style={{ height: `${(value / top) * 100}%` }}
                  />
                )}
              </div>
            );
          })}
        </div>
        <div className="col-start-2 mt-1.5 flex">
          {Array.from({ length: daysIn(month) }, (_, i) => (
            <span key={i} className="flex w-0 flex-1 justify-center whitespace-nowrap">
              {(i === 0 || (i + 1) % 5 === 0) && i + 1}
            </span>
          ))}
        </div>
      </div>
    </figure>
  );
}
