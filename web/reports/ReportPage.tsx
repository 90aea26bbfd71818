import { useQuery } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { Link } from 'wouter';
import { ApiError } from '../api/api-error.ts';
import { currentLocale } from '../i18n/language.ts';
import { Loading } from '../ui/Loading.tsx';
import { NotFound } from '../ui/NotFound.tsx';
import { Page } from '../ui/Page.tsx';
import { Problem } from '../ui/Problem.tsx';
import { useFigures } from '../usage/figures.ts';
import { momentsIn } from '../usage/moments.ts';
import { zoneName } from '../usage/zone-name.ts';
import { Files } from './Files.tsx';
import { HeatMap } from './HeatMap.tsx';
import { Advice, Limits } from './Limits.tsx';
import { reportQuery, type Report } from './queries.ts';
import { Comparison, Summary } from './Summary.tsx';
import { Costliest, Days, Models } from './Tables.tsx';

/** What a month came to, on the screen and on paper. */
export function ReportPage({ label }: { label: string }) {
  const { t } = useTranslation('reports');
  const { monthOf } = useFigures();
  const report = useQuery(reportQuery(label));
  if (!/^\d{4}-(0[1-9]|1[0-2])$/.test(label)) return <NotFound />;
  const isNone = report.error instanceof ApiError && report.error.code === 'not_found';
  return (
    <Page
      title={t('month', { month: monthOf(label) })}
      actions={report.isSuccess && <Files path={`/api/reports/${label}`} />}
    >
      {report.isPending && <Loading />}
      {isNone && (
        <p className="rounded-xl border border-dashed border-line px-4 py-10 text-center text-sm text-faint">
          {t('notYet')}
        </p>
      )}
      {report.isError && !isNone && <Problem error={report.error} onRetry={() => void report.refetch()} />}
      {report.isSuccess && <Body report={report.data} />}
      <p className="mt-10 text-sm print:hidden">
        <Link href="/usage/reports" className="rounded text-accent hover:underline">
          {t('all')}
        </Link>
      </p>
    </Page>
  );
}

function Body({ report }: { report: Report }) {
  const { t } = useTranslation('reports');
  const { startsAt, endsAt, timeZone, usage } = report;
  // The report's own zone: the account's may be another by now.
  const locale = currentLocale();
  const { moment } = momentsIn(locale, timeZone);
  return (
    <div className="grid grid-cols-1 gap-8 print:block print:space-y-8">
      <p className="-mt-4 text-sm text-faint">
        {t('span', { from: moment(startsAt), until: moment(endsAt), zone: zoneName(timeZone, locale) })}
      </p>
      {usage.turns === 0 && usage.usedTokens === 0 && (
        <p className="rounded-xl border border-dashed border-line px-4 py-8 text-center text-sm text-faint">
          {t('nothing')}
        </p>
      )}
      <Summary report={report} />
      {report.before !== null && <Comparison report={report} before={report.before} />}
      {report.hours.length > 0 && <HeatMap hours={report.hours} />}
      {report.models.length > 0 && <Models models={report.models} />}
      {report.costliest.length > 0 && <Costliest turns={report.costliest} timeZone={timeZone} />}
      <Limits report={report} />
      {usage.turns > 0 && <Advice advice={report.advice} />}
      {report.days.length > 0 && <Days days={report.days} />}
    </div>
  );
}
