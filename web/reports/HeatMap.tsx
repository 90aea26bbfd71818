import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useFigures } from '../usage/figures.ts';
import { Block } from './Block.tsx';
import type { Report } from './queries.ts';

type Hour = Report['hours'][number];
const WEEKDAYS = [1, 2, 3, 4, 5, 6, 7] as const;
const HOURS = Array.from({ length: 24 }, (_, hour) => hour);

/**
 * The hours of the week as a table of colours, whose cells a screen reader reads as figures. The one under the pointer
 * is told above it; before that, the one with most.
 */
export function HeatMap({ hours }: { hours: readonly Hour[] }) {
  const { t } = useTranslation('reports');
  const { tokens } = useFigures();
  const [pointed, setPointed] = useState<Pick<Hour, 'weekday' | 'hour'> | null>(null);
  const of = new Map(hours.map((one) => [`${one.weekday} ${one.hour}`, one]));
  const top = hours.reduce((most, one) => (one.debitedTokens > most.debitedTokens ? one : most));
  const dayName = (weekday: number) => t(`weekday.${weekday as (typeof WEEKDAYS)[number]}`);
  const shown = pointed && (of.get(`${pointed.weekday} ${pointed.hour}`) ?? { ...pointed, turns: 0, debitedTokens: 0 });
  return (
    <Block title={t('hours.title')}>
      <div className="rounded-xl border border-line bg-raised p-3 sm:p-4" onPointerLeave={() => setPointed(null)}>
        <p className="mb-2 min-h-5 text-sm text-soft tabular-nums">
          {shown === null
            ? t('hours.most', { weekday: dayName(top.weekday), hour: top.hour, tokens: tokens(top.debitedTokens) })
            : t('hours.at', {
                count: shown.turns,
                weekday: dayName(shown.weekday),
                hour: shown.hour,
                tokens: tokens(shown.debitedTokens),
                turns: tokens(shown.turns),
              })}
        </p>
        <table className="w-full table-fixed border-separate border-spacing-px text-[11px] leading-none text-faint tabular-nums">
          <caption className="sr-only">{t('hours.caption')}</caption>
          <thead>
            <tr>
              <td className="w-7" />
              {HOURS.map((hour) => (
                <th key={hour} scope="col" className="h-4 text-left font-normal whitespace-nowrap">
                  <span className="sr-only">{t('hours.hour', { hour })}</span>
                  {hour % 6 === 0 && <span aria-hidden>{hour}</span>}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {WEEKDAYS.map((weekday) => (
              <tr key={weekday}>
                <th scope="row" className="text-left font-normal">
                  <span className="sr-only">{dayName(weekday)}</span>
                  <span aria-hidden>{t(`weekdayShort.${weekday}`)}</span>
                </th>
                {HOURS.map((hour) => {
                  const value = of.get(`${weekday} ${hour}`)?.debitedTokens ?? 0;
                  return (
                    <td
                      key={hour}
                      onPointerEnter={() => setPointed({ weekday, hour })}
                      onPointerDown={() => setPointed({ weekday, hour })}
                      className="h-6 rounded-xs forced-color-adjust-none [print-color-adjust:exact]"
                      style={{ background: shade(value / top.debitedTokens) }}
                    >
                      <span className="sr-only">{tokens(value)}</span>
                    </td>
                  );
                })}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </Block>
  );
}

/** From the ground to the full colour. What is little is still told from nothing. */
function shade(part: number): string {
  if (part === 0) return 'var(--color-hover)';
  return `color-mix(in oklab, var(--color-accent-fill) ${Math.round(15 + part * 85)}%, var(--color-raised))`;
}
