import { useTranslation } from 'react-i18next';
import type { Schemas } from '../../api/schemas.ts';
import { useFigures } from '../../usage/figures.ts';
import { useAddress } from '../use-address.ts';
import { ChoiceFilter } from '../Fields.tsx';
import { useHomeFigures, type Figures } from './use-home-figures.ts';

const METRICS = ['usedTokens', 'turns', 'failures', 'cost'] as const;
type Metric = (typeof METRICS)[number];

function valueOf(figures: Figures, metric: Metric): number {
  // One currency at a time has a height; where there are two, the table below tells them apart.
  return metric === 'cost' ? (figures.cost[0]?.micros ?? 0) : figures[metric];
}

/** A figure by day, with a mark where it was on the day as far into the range before. The table below says the same. */
export function UsageChart({ usage: { days, before } }: { usage: Schemas['UsageOfRange'] }) {
  const { t } = useTranslation('admin-home');
  const { dayOf } = useFigures();
  const { tokens, cost } = useHomeFigures();
  const [address] = useAddress();
  const metric = METRICS.find((name) => name === address['chart']) ?? 'usedTokens';
  const write = (figures: Figures) => (metric === 'cost' ? cost(figures.cost) : tokens(figures[metric]));
  const values = days.map((day) => valueOf(day, metric));
  const most = Math.max(1, ...values, ...before.days.map((day) => valueOf(day, metric)));
  const highest = days[values.indexOf(Math.max(...values))];
  return (
    <section>
      <div className="mb-3 flex flex-wrap items-end justify-between gap-3">
        <h2 className="text-lg font-semibold">{t('byDay')}</h2>
        <ChoiceFilter
          name="chart"
          label={t('chart.label')}
          any={t('figure.usedTokens')}
          options={METRICS.slice(1).map((name) => [name, t(`figure.${name}`)])}
        />
      </div>
      <svg
        role="img"
        aria-label={
          highest === undefined
            ? t('byDay')
            : t('chart.alt', { figure: t(`figure.${metric}`), day: dayOf(highest.day), most: write(highest) })
        }
        viewBox={`0 0 ${days.length} 100`}
        preserveAspectRatio="none"
        className="h-36 w-full border-b border-line"
      >
        {days.map((day, i) => {
          const height = (valueOf(day, metric) / most) * 98;
          const earlier = before.days[i];
          const mark = earlier === undefined ? 0 : (valueOf(earlier, metric) / most) * 98;
          return (
            <g key={day.day}>
              <rect x={i + 0.12} y={100 - height} width=".76" height={height} className="fill-accent-fill" />
              {mark > 0 && <rect x={i + 0.04} y={100 - mark} width=".92" height="1.2" className="fill-soft" />}
              <rect x={i} y="0" width="1" height="100" fill="none" pointerEvents="all">
                <title>{`${dayOf(day.day)}: ${write(day)}`}</title>
              </rect>
            </g>
          );
        })}
      </svg>
      <p aria-hidden className="mt-1 flex justify-between gap-2 text-xs text-faint">
        <span>{dayOf(days[0]?.day ?? '')}</span>
        <span>{t('chart.key')}</span>
        <span>{dayOf(days.at(-1)?.day ?? '')}</span>
      </p>
    </section>
  );
}
