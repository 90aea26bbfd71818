import { useTranslation } from 'react-i18next';
import { currentLocale } from '../i18n/language.ts';
import { useFigures } from '../usage/figures.ts';
import { momentsIn } from '../usage/moments.ts';
import { Block } from './Block.tsx';
import type { Report } from './queries.ts';

/** How near the month came to its limit, and what the next one will. */
export function Limits({ report: { limits, forecast, unusual, timeZone } }: { report: Report }) {
  const { t } = useTranslation('reports');
  const { tokens, dayOf } = useFigures();
  const { day } = momentsIn(currentLocale(), timeZone);
  const { nextDepletesAt, medianErrorDays } = forecast;
  const facts = [
    [t('limits.days'), t('limits.daysCount', { n: limits.daysAt90.length })],
    [t('limits.blocked'), tokens(limits.blockedTurns)],
    [t('limits.next'), nextDepletesAt === null ? t('limits.lasts') : t('limits.until', { day: day(nextDepletesAt) })],
    ...(medianErrorDays === null
      ? []
      : [
          [
            t('limits.accuracy'),
            t('limits.off', { count: medianErrorDays, days: tokens(medianErrorDays), n: tokens(forecast.made) }),
          ] as const,
        ]),
    [
      t('limits.unusual'),
      unusual.length === 0
        ? t('limits.none')
        : unusual
            .map((one) =>
              t('limits.unusualDay', {
                day: dayOf(one.day),
                tokens: tokens(one.debitedTokens),
                usual: tokens(one.usualTokens),
              }),
            )
            .join(', '),
    ],
  ] as const;
  return (
    <Block title={t('limits.title')}>
      <dl className="divide-y divide-line rounded-xl border border-line bg-raised text-sm">
        {facts.map(([name, value]) => (
          <div key={name} className="flex flex-wrap justify-between gap-x-6 gap-y-1 px-4 py-3">
            <dt className="text-faint">{name}</dt>
            <dd className="font-medium tabular-nums">{value}</dd>
          </div>
        ))}
      </dl>
    </Block>
  );
}

export function Advice({ advice }: { advice: Report['advice'] }) {
  const { t } = useTranslation('reports');
  const { tokens, percent } = useFigures();
  return (
    <Block title={t('advice.title')}>
      {advice.length === 0 && <p className="text-sm text-soft">{t('advice.none')}</p>}
      <ul className="grid gap-2 text-sm empty:hidden">
        {advice.map((one) => (
          <li key={one.code} className="rounded-xl border border-line bg-panel px-4 py-3">
            {one.code === 'buy_ahead' &&
              t('advice.buy_ahead', { count: one.blockedTurns, n: tokens(one.blockedTurns) })}
            {one.code === 'shorten_history' && t('advice.shorten_history', { percent: percent(one.percent) })}
            {one.code === 'smaller_model' &&
              t('advice.smaller_model', { percent: percent(one.percent), model: one.model, smaller: one.smaller })}
          </li>
        ))}
      </ul>
    </Block>
  );
}
