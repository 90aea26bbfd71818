import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { answer, api } from '../api/client.ts';
import type { paths } from '../api/schema.d.ts';
import { Page } from '../shell/Page.tsx';
import { useFigures } from '../usage/figures.ts';
import { AdminNav } from './AdminPages.tsx';
import { Filters, TextFilter } from './Fields.tsx';
import { PagedTable } from './Table.tsx';
import { useAddress } from './use-address.ts';

type Query = NonNullable<paths['/api/admin/audit']['get']['parameters']['query']>;
const NAMES = ['adminId', 'action', 'target', 'cursor'] as const;

/** Who did what, to what, and why. */
export function AuditPage() {
  const { t } = useTranslation('admin');
  const { moment } = useFigures();
  const [address] = useAddress();
  const entries = useQuery({
    queryKey: ['admin', 'audit', address], placeholderData: keepPreviousData,
    queryFn: () => answer(api.GET('/api/admin/audit', { params: { query: Object.fromEntries(NAMES.flatMap((name) => address[name] === undefined ? [] : [[name, address[name]]])) as Query } })),
  });
  return (
    <Page title={t('section.audit')} wide>
      <AdminNav />
      <Filters>
        <TextFilter name="target" label={t('audit.target')} placeholder="user:1" />
        <TextFilter name="action" label={t('audit.action')} />
        <TextFilter name="adminId" label={t('audit.admin')} />
      </Filters>
      <PagedTable label={t('section.audit')} query={entries} keyOf={({ id }) => id} empty={t('audit.none')} columns={[
        { title: t('at'), cell: ({ createdAt }) => moment(createdAt) },
        { title: t('audit.admin'), numeric: true, cell: ({ adminId }) => adminId ?? 'CLI' },
        { title: t('audit.action'), cell: ({ action }) => <span className="font-mono text-xs">{action}</span> },
        { title: t('audit.target'), cell: ({ target }) => <span className="font-mono text-xs break-all">{target}</span> },
        { title: t('reason'), cell: ({ reason }) => reason ?? '–' },
        { title: t('audit.change'), cell: ({ before, after }) => <span className="text-xs text-faint">{figures(before)}{before !== null && after !== null && ' → '}{figures(after)}</span> },
      ]} />
    </Page>
  );
}

function figures(values: Record<string, unknown> | null): string {
  return values === null ? '' : Object.entries(values).map(([name, value]) => `${name} ${String(value)}`).join(', ');
}
