import { useTranslation } from 'react-i18next';
import type { Schemas } from '../../api/schemas.ts';
import { currentLocale } from '../../i18n/language.ts';
import { Notice } from '../../ui/Notice.tsx';
import { useFigures } from '../../usage/figures.ts';
import { zoneName } from '../../usage/zone-name.ts';
import { Table } from '../Table.tsx';
import { timingOf } from './timing.ts';

/** The person's Temporal schedules, and when each runs next. */
export function Schedules({ schedules }: { schedules: Schemas['AdminUserDetail']['schedules'] }) {
  const { t } = useTranslation('admin');
  const { moment, until } = useFigures();
  return (
    <section>
      <h2 className="mb-3 text-lg font-semibold">{t('users.schedules')}</h2>
      {schedules === null ? (
        <Notice tone="warn">{t('users.schedulesUnknown')}</Notice>
      ) : (
        <Table
          label={t('users.schedules')}
          items={schedules}
          keyOf={({ kind }) => kind}
          empty={t('users.noSchedules')}
          columns={[
            { title: t('users.schedule'), cell: ({ kind }) => t(`users.scheduleOf.${kind}`) },
            { title: t('users.timing'), cell: ({ timing }) => <TimingWords timing={timing} /> },
            {
              title: t('users.nextRun'),
              cell: ({ nextAt }) => (nextAt === null ? t('users.noRun') : `${moment(nextAt)} (${until(nextAt)})`),
            },
          ]}
        />
      )}
    </section>
  );
}

function TimingWords({ timing }: { timing: string }) {
  const { t } = useTranslation('words');
  const { moment } = useFigures();
  const known = timingOf(timing);
  if (known === null)
    return (
      <span lang="en" className="text-faint">
        {timing}
      </span>
    );
  return known.every === 'month'
    ? t('timing.month', { ...known, zone: zoneName(known.zone, currentLocale()) })
    : t('timing.hour', { ...known, until: moment(known.until) });
}
