import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { Link } from 'wouter';
import { answer } from '../../api/answer.ts';
import { api } from '../../api/client.ts';
import type { paths } from '../../api/schema.d.ts';
import type { Schemas } from '../../api/schemas.ts';
import { Page } from '../../ui/Page.tsx';
import { AdminNav } from '../AdminNav.tsx';
import { ChoiceFilter, Filters, TextFilter } from '../Fields.tsx';
import { PagedTable } from '../Table.tsx';
import { ending } from '../TurnLink.tsx';
import { useAddress } from '../use-address.ts';
import { When } from '../When.tsx';

type Query = NonNullable<paths['/api/admin/audit']['get']['parameters']['query']>;
const NAMES = ['adminId', 'action', 'target', 'cursor'] as const;
const ACTIONS = [
  'turn.read_content',
  'turn.replay',
  'redrive.start',
  'redrive.pause',
  'redrive.resume',
  'redrive.cancel',
  'user.suspend',
  'user.resume',
  'tokens.grant',
  'tokens.reverse',
  'purchase.refund',
  'purchase.look',
  'purchase.accept',
  'tokens.refuse_key',
  'stats_cache.delete',
] as const satisfies readonly Schemas['AuditAction'][];

/** The audit log: who did what, to what, and why. */
export function AuditPage() {
  const { t } = useTranslation('admin');
  const [address] = useAddress();
  const query = Object.fromEntries(
    NAMES.flatMap((name) => (address[name] === undefined ? [] : [[name, address[name]]])),
  ) as Query;
  const entries = useQuery({
    queryKey: ['admin', 'audit', query],
    placeholderData: keepPreviousData,
    queryFn: () => answer(api.GET('/api/admin/audit', { params: { query } })),
  });
  return (
    <Page title={t('section.audit')} wide>
      <AdminNav />
      <Filters>
        <ChoiceFilter
          name="action"
          label={t('audit.action')}
          any={t('any')}
          options={ACTIONS.map((action) => [action, t(`audit.actionOf.${action}`)])}
        />
        <TextFilter name="target" label={t('audit.target')} placeholder="user:1" />
        <TextFilter name="adminId" label={t('audit.admin')} width="w-28" />
      </Filters>
      <PagedTable
        label={t('section.audit')}
        query={entries}
        csv={{ path: '/api/admin/audit', query }}
        keyOf={({ id }) => id}
        empty={t('audit.none')}
        columns={[
          { title: t('at'), cell: ({ createdAt }) => <When at={createdAt} /> },
          { title: t('audit.admin'), numeric: true, cell: ({ adminId }) => adminId ?? 'CLI' },
          {
            title: t('audit.action'),
            cell: ({ action }) => (
              <>
                {t(`audit.actionOf.${action}`)}
                <span className="block font-mono text-xs text-faint">{action}</span>
              </>
            ),
          },
          { title: t('audit.target'), cell: ({ target }) => <Target target={target} /> },
          { title: t('reason'), cell: ({ reason }) => reason ?? '–' },
          {
            title: t('audit.change'),
            cell: ({ before, after }) => (
              <span className="block min-w-48 text-xs text-faint">
                {figures(before)}
                {before !== null && after !== null && ' → '}
                {figures(after)}
              </span>
            ),
          },
        ]}
      />
    </Page>
  );
}

const PAGE_OF: Readonly<Record<string, string>> = {
  turn: 'turns',
  user: 'users',
  redrive: 'redrives',
  purchase: 'purchases',
};

/** A link to what was acted on, if that has a page. Long ids are shortened to their ends, which tell them apart. */
function Target({ target }: { target: string }) {
  const [kind = '', id = ''] = target.split(':');
  const page = PAGE_OF[kind];
  const shown = id.length > 12 ? `${kind}:${ending(id)}` : target;
  const look = 'font-mono text-xs whitespace-nowrap';
  return page === undefined || id === '' ? (
    <span className={look}>{shown}</span>
  ) : (
    <Link href={`/admin/${page}/${id}`} title={target} className={`${look} text-accent hover:underline`}>
      {shown}
    </Link>
  );
}

function figures(values: Record<string, unknown> | null): string {
  return values === null
    ? ''
    : Object.entries(values)
        .map(([name, value]) => `${name} ${String(value)}`)
        .join(', ');
}
