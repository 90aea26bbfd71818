import { useQuery } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { answer } from '../../api/answer.ts';
import { api } from '../../api/client.ts';
import type { Schemas } from '../../api/schemas.ts';
import { useMoney } from '../../purchase/use-money.ts';
import { Block, Figure, FigureTable } from '../../reports/Block.tsx';
import { Files } from '../../reports/Files.tsx';
import { Loading } from '../../ui/Loading.tsx';
import { Page } from '../../ui/Page.tsx';
import { Problem } from '../../ui/Problem.tsx';
import { useFigures } from '../../usage/figures.ts';
import { AdminNav } from '../AdminNav.tsx';

type Report = Schemas['OperatorReport'];

/** What a month of all accounts came to. */
export function OperatorReportPage({ label }: { label: string }) {
  const { t } = useTranslation('admin');
  const { monthOf } = useFigures();
  const report = useQuery({
    queryKey: ['admin', 'reports', label],
    queryFn: () => answer(api.GET('/api/admin/reports/{label}', { params: { path: { label } } })) as Promise<Report>,
  });
  const isMonth = /^\d{4}-(0[1-9]|1[0-2])$/.test(label);
  return (
    <Page
      title={isMonth ? t('operatorReport.month', { month: monthOf(label) }) : t('operatorReport.title')}
      wide
      actions={report.isSuccess && <Files path={`/api/admin/reports/${label}`} />}
    >
      <AdminNav />
      {report.isPending && <Loading />}
      {report.isError && <Problem error={report.error} onRetry={() => void report.refetch()} />}
      {report.isSuccess && (
        <div className="grid grid-cols-1 gap-8">
          <p className="text-sm text-soft">{t('operatorReport.lead')}</p>
          <Use usage={report.data.usage} />
          <Sales report={report.data} />
          <Models models={report.data.models} />
          <Limits report={report.data} />
        </div>
      )}
    </Page>
  );
}

const GRID = 'grid grid-cols-1 gap-3 min-[360px]:grid-cols-2 lg:grid-cols-4';

function Use({ usage }: { usage: Report['usage'] }) {
  const { t } = useTranslation('admin');
  const { tokens } = useFigures();
  const flags = [
    ['estimated', usage.estimatedTurns],
    ['overHold', usage.overHoldTurns],
    ['ceilingMoved', usage.ceilingMovedTurns],
  ] as const;
  return (
    <Block title={t('operatorReport.use')}>
      <dl className={GRID}>
        <Figure name={t('operatorReport.accounts')} value={tokens(usage.activeAccounts)} />
        <Figure name={t('operatorReport.turns')} value={tokens(usage.turns)} />
        <Figure
          name={t('operatorReport.tokens')}
          value={tokens(usage.usedTokens)}
          of={t('operatorReport.purchased', { n: tokens(usage.spentPurchasedTokens) })}
        />
        <Figure name={t('operatorReport.overage')} value={tokens(usage.overageTokens)} />
        {flags.map(([name, value]) => (
          <Figure
            key={name}
            name={t(`operatorReport.${name}`)}
            value={tokens(value)}
            of={t('operatorReport.ofDebits', { n: tokens(usage.debits) })}
          />
        ))}
      </dl>
    </Block>
  );
}

function Sales({ report: { sales, cost } }: { report: Report }) {
  const { t } = useTranslation('admin');
  const { tokens } = useFigures();
  const money = useMoney();
  // The smallest unit of dollars is a cent, of won a won.
  const inMoney = (micros: number, currency: 'KRW' | 'USD') =>
    money({ amount: Math.round(micros / (currency === 'USD' ? 10_000 : 1_000_000)), currency });
  return (
    <Block title={t('operatorReport.money')}>
      <dl className={GRID}>
        <Figure name={t('operatorReport.payers')} value={tokens(sales.payers)} />
        {sales.revenue.map(({ currency, paid, refunded }) => (
          <Figure
            key={currency}
            name={t('operatorReport.paid', { currency })}
            value={money({ amount: paid, currency })}
            of={t('operatorReport.refunded', { amount: money({ amount: refunded, currency }) })}
          />
        ))}
        {cost.known.map(({ currency, micros, lostMicros }) => (
          <Figure
            key={currency}
            name={t('operatorReport.cost', { currency })}
            value={inMoney(micros, currency)}
            of={t('operatorReport.lostCost', { amount: inMoney(lostMicros, currency) })}
          />
        ))}
        {cost.callsWithoutPrice > 0 && (
          <Figure
            name={t('operatorReport.unpriced')}
            value={tokens(cost.callsWithoutPrice)}
            of={t('operatorReport.unpricedOf')}
          />
        )}
      </dl>
    </Block>
  );
}

function Models({ models }: { models: Report['models'] }) {
  const { t } = useTranslation('admin');
  const { tokens, percent } = useFigures();
  const errors = models.flatMap(({ model, calls, errors }) => errors.map((error) => ({ model, all: calls, ...error })));
  return (
    <>
      <Block title={t('operatorReport.models')}>
        <FigureTable
          label={t('operatorReport.models')}
          columns={[
            t('operatorReport.model'),
            t('operatorReport.turns'),
            t('operatorReport.tokens'),
            t('operatorReport.calls'),
            t('operatorReport.lost'),
            t('operatorReport.lostTokens'),
          ]}
          rows={models.map((one) => ({
            key: one.model,
            cells: [
              one.model,
              tokens(one.turns),
              tokens(one.debitedTokens),
              tokens(one.calls),
              tokens(one.lostCalls),
              tokens(one.lostTokens),
            ],
          }))}
        />
      </Block>
      <Block title={t('operatorReport.errors')}>
        {errors.length === 0 ? (
          <p className="text-sm text-soft">{t('operatorReport.noErrors')}</p>
        ) : (
          <FigureTable
            label={t('operatorReport.errors')}
            columns={[t('operatorReport.error'), t('operatorReport.calls'), t('operatorReport.share')]}
            rows={errors.map(({ model, code, calls, all }) => ({
              key: `${model} ${code}`,
              cells: [`${model} · ${code}`, tokens(calls), percent((calls / all) * 100)],
            }))}
          />
        )}
      </Block>
    </>
  );
}

function Limits({ report: { limits, cohort, calibration } }: { report: Report }) {
  const { t } = useTranslation('admin');
  const { tokens } = useFigures();
  return (
    <Block title={t('operatorReport.limits')}>
      <dl className={GRID}>
        <Figure
          name={t('operatorReport.blocked')}
          value={tokens(limits.blockedTurns)}
          of={t('operatorReport.blockedOf', { n: tokens(limits.blockedAccounts) })}
        />
        <Figure
          name={t('operatorReport.cohort')}
          value={tokens(cohort.ranOut)}
          of={t('operatorReport.cohortOf', { n: tokens(cohort.boughtWithin30Days) })}
        />
        {calibration.map(({ daysBefore, forecasts, medianErrorDays }) => (
          <Figure
            key={daysBefore}
            name={t('operatorReport.forecasts', { days: daysBefore })}
            value={t('operatorReport.offDays', { n: tokens(medianErrorDays) })}
            of={t('operatorReport.forecastsOf', { n: tokens(forecasts) })}
          />
        ))}
      </dl>
    </Block>
  );
}
