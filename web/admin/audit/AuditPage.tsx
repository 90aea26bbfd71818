import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { Link } from 'wouter';
import type { AuditAction, AuditTargetKind } from '../../../domain/audit.ts';
import { answer } from '../../api/answer.ts';
import { api } from '../../api/client.ts';
import type { paths } from '../../api/schema.d.ts';
import type { Schemas } from '../../api/schemas.ts';
import { Page } from '../../ui/Page.tsx';
import { AdminNav } from '../AdminNav.tsx';
import { ChoiceFilter, Filters, TextFilter } from '../Fields.tsx';
import { PersonLink } from '../Links.tsx';
import { PersonFilter } from '../PersonFilter.tsx';
import { PagedTable } from '../Table.tsx';
import { ending } from '../TurnLink.tsx';
import { useAddress } from '../use-address.ts';
import { When } from '../When.tsx';
import { useWords } from '../words/use-words.ts';

type Query = NonNullable<paths['/api/admin/audit']['get']['parameters']['query']>;
const NAMES = ['adminId', 'action', 'target', 'cursor'] as const;
/** All of them, or the types do not fit. */
const ACTIONS = Object.keys({
  'turn.read_content': true,
  'turn.replay': true,
  'redrive.start': true,
  'redrive.pause': true,
  'redrive.resume': true,
  'redrive.cancel': true,
  'user.create': true,
  'user.invite': true,
  'user.update': true,
  'user.suspend': true,
  'user.resume': true,
  'tokens.grant': true,
  'tokens.reverse': true,
  'purchase.refund': true,
  'purchase.look': true,
  'purchase.accept': true,
  'tokens.refuse_key': true,
  'codes.make': true,
  'codes.revoke': true,
  'delivery.resend': true,
  'delivery.resend_many': true,
  'delivery.cancel_resend': true,
  'key.create': true,
  'key.update': true,
  'key.rotate': true,
  'key.revoke': true,
  'webhook.create': true,
  'webhook.update': true,
  'webhook.delete': true,
  'model.switch_on': true,
  'model.switch_off': true,
  'stats_cache.delete': true,
} satisfies Record<AuditAction, true>) as AuditAction[];

/** The audit log: who did what, to what, and why. */
export function AuditPage() {
  const { t } = useTranslation('admin');
  const { figuresOf } = useWords();
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
        <PersonFilter name="adminId" label={t('audit.admin')} />
      </Filters>
      <PagedTable
        label={t('section.audit')}
        query={entries}
        csv={{ path: '/api/admin/audit', query }}
        keyOf={({ id }) => id}
        empty={t('audit.none')}
        columns={[
          { title: t('at'), cell: ({ createdAt }) => <When at={createdAt} /> },
          { title: t('audit.admin'), cell: ({ admin, adminId }) => <PersonLink person={admin} userId={adminId} /> },
          {
            title: t('audit.action'),
            cell: ({ action }) => (
              <span title={action} className="block sm:min-w-24">
                {t(`audit.actionOf.${action}`)}
              </span>
            ),
          },
          { title: t('audit.target'), cell: ({ target, about }) => <Target target={target} about={about} /> },
          { title: t('reason'), cell: ({ reason }) => reason ?? '–' },
          {
            title: t('audit.change'),
            cell: ({ before, after }) => (
              <span className="block text-xs text-faint sm:min-w-48">
                {before !== null && figuresOf(before)}
                {before !== null && after !== null && ' → '}
                {after !== null && figuresOf(after)}
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
  redrive: 'redrives',
  purchase: 'purchases',
  code_batch: 'codes',
  resend: 'deliveries/resends',
};

/** What was acted on, with a link if it has a page, and whose it is. */
function Target({ target, about }: { target: string; about: Schemas['Person'] | null }) {
  const { t } = useTranslation('words');
  const [kind = ''] = target.split(':', 1);
  const id = target.slice(kind.length + 1);
  if (kind === 'user') return <PersonLink person={about} userId={Number(id)} />;
  const page = PAGE_OF[kind];
  const shown =
    `${t(`target.${kind as AuditTargetKind}`)} ${id.length > 12 && kind !== 'model' ? ending(id) : id}`.trim();
  return (
    <>
      {page === undefined || id === '' ? (
        <span title={target}>{shown}</span>
      ) : (
        <Link href={`/admin/${page}/${id}`} title={target} className="text-accent hover:underline">
          {shown}
        </Link>
      )}
      {about !== null && (
        <span className="block text-xs">
          <PersonLink person={about} userId={about.userId} />
        </span>
      )}
    </>
  );
}
