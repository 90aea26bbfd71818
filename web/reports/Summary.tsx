import { useTranslation } from 'react-i18next';
import { useFigures } from '../usage/figures.ts';
import { Block, Figure, FigureTable } from './Block.tsx';
import type { Report } from './queries.ts';

/** The figures of the month. What was booked beside turns shows only where there was something. */
export function Summary({ report: { usage, available, booked, history } }: { report: Report }) {
  const { t } = useTranslation('reports');
  const { tokens, percent } = useFigures();
  const share = (part: number, whole: number) => percent(whole === 0 ? 0 : Math.floor((part / whole) * 100));
  const beside = [
    [t('summary.granted'), booked.grantedTokens],
    [t('summary.reversed'), -booked.reversedTokens],
    [t('summary.adjusted'), usage.adjustedTokens],
  ] as const;
  return (
    <Block title={t('summary.title')}>
      <dl className="grid grid-cols-1 gap-3 min-[360px]:grid-cols-2 md:grid-cols-3">
        <Figure
          name={t('summary.used')}
          value={tokens(usage.usedTokens)}
          of={t('summary.usedOf', { total: tokens(available.totalTokens), percent: percent(available.usagePercent) })}
        />
        <Figure
          name={t('summary.turns')}
          value={t('summary.turnsCount', { n: tokens(usage.turns) })}
          of={usage.meanTokens === null ? undefined : t('summary.mean', { tokens: tokens(usage.meanTokens) })}
        />
        <Figure
          name={t('summary.spent')}
          value={
            <span className="text-base">
              {t('summary.spentOf', {
                purchased: tokens(available.spentPurchasedTokens),
                allowance: tokens(available.spentAllowanceTokens),
              })}
            </span>
          }
          of={
            available.overageTokens === 0
              ? undefined
              : t('summary.overage', { tokens: tokens(available.overageTokens) })
          }
        />
        <Figure
          name={t('summary.cached')}
          value={share(usage.cachedTokens, usage.promptTokens)}
          of={t('summary.cachedOf', { tokens: tokens(usage.promptTokens) })}
        />
        <Figure
          name={t('summary.reasoning')}
          value={share(usage.reasoningTokens, usage.completionTokens)}
          of={t('summary.reasoningOf', { tokens: tokens(usage.completionTokens) })}
        />
        {history !== null && (
          <Figure
            name={t('summary.history')}
            value={share(history.historyTokens, history.promptTokens)}
            of={t('summary.historyOf')}
          />
        )}
        {beside.map(([name, value]) => value !== 0 && <Figure key={name} name={name} value={tokens(value)} />)}
      </dl>
    </Block>
  );
}

/** The month beside the one before: by as many days as both have, and whole. */
export function Comparison({ report, before }: { report: Report; before: NonNullable<Report['before']> }) {
  const { t } = useTranslation('reports');
  const { tokens, monthOf } = useFigures();
  const { sameDays } = before;
  const rows = [
    [t('before.sameDays', { days: sameDays.days }), sameDays.before, sameDays.debitedTokens],
    [t('before.whole'), before.debitedTokens, report.usage.debitedTokens],
    [t('before.turns'), before.turns, report.usage.turns],
  ] as const;
  const title = t('before.title', { month: monthOf(before.label) });
  return (
    <Block title={title}>
      <FigureTable
        label={title}
        columns={[t('before.what'), monthOf(before.label), t('before.is'), t('before.change')]}
        rows={rows.map(([name, was, is]) => ({
          key: name,
          cells: [name, tokens(was), tokens(is), was === 0 ? '–' : signed(((is - was) / was) * 100)],
        }))}
      />
    </Block>
  );
}

function signed(percent: number): string {
  const rounded = Math.round(percent);
  return `${rounded > 0 ? '+' : ''}${rounded}%`;
}
