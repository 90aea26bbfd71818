import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { RotateCw } from 'lucide-react';
import { useTranslation } from 'react-i18next';
import { answer } from '../../api/answer.ts';
import { api } from '../../api/client.ts';
import type { Schemas } from '../../api/schemas.ts';
import { Button } from '../../ui/Button.tsx';
import { Loading } from '../../ui/Loading.tsx';
import { Page } from '../../ui/Page.tsx';
import { Problem } from '../../ui/Problem.tsx';
import { useFigures } from '../../usage/figures.ts';
import { LEVEL_LOOK } from '../../usage/levels/level-look.ts';
import { AdminNav } from '../AdminNav.tsx';
import { ChoiceFilter, Filters, TextFilter } from '../Fields.tsx';
import { PersonLink } from '../Links.tsx';
import { Table } from '../Table.tsx';
import { useAddress } from '../use-address.ts';
import { Ratings } from './Ratings.tsx';

type Stats = Schemas['TokenStats'];

/** Who uses how many tokens, as computed at `as of`. Nothing computes it again until an admin asks for it. */
export function StatsPage() {
  const { t } = useTranslation('admin');
  const { moment } = useFigures();
  const queries = useQueryClient();
  const stats = useQuery({ queryKey: ['admin', 'stats'], queryFn: () => answer(api.GET('/api/admin/token-stats')) });
  const refresh = useMutation({
    mutationFn: () => answer(api.DELETE('/api/admin/token-stats/cache')),
    onSuccess: () => queries.invalidateQueries({ queryKey: ['admin', 'stats'] }),
  });
  return (
    <Page
      title={t('section.stats')}
      wide
      actions={
        stats.isSuccess && (
          <div className="flex items-center gap-3 text-sm text-faint">
            <span>{t('stats.asOf', { at: moment(stats.data.asOf) })}</span>
            <Button size="small" disabled={refresh.isPending || stats.isFetching} onClick={() => refresh.mutate()}>
              <RotateCw aria-hidden className="size-3.5" />
              {t('stats.refresh')}
            </Button>
          </div>
        )
      }
    >
      <AdminNav />
      {refresh.isError && (
        <div className="mb-4">
          <Problem error={refresh.error} />
        </div>
      )}
      {stats.isPending && <Loading />}
      {stats.isError && <Problem error={stats.error} onRetry={() => void stats.refetch()} />}
      {stats.isSuccess && <Figures stats={stats.data} />}
      <Ratings />
    </Page>
  );
}

const OVERVIEW = ['totalUsers', 'activeUsers', 'totalUsedTokens', 'totalPurchasedTokens', 'averageUsedTokens'] as const;
const SHARES = [
  ['under50', 'NORMAL'],
  ['under80', 'NORMAL'],
  ['under90', 'NOTICE'],
  ['under95', 'WARNING'],
  ['over95', 'CRITICAL'],
] as const;

function Figures({ stats }: { stats: Stats }) {
  const { t } = useTranslation('admin');
  const { tokens } = useFigures();
  const most = Math.max(1, ...Object.values(stats.distribution));
  return (
    <div className="grid grid-cols-1 gap-8">
      <dl className="grid grid-cols-2 gap-x-6 gap-y-4 rounded-xl border border-line bg-raised p-5 sm:grid-cols-5">
        {OVERVIEW.map((name) => (
          <div key={name}>
            <dt className="text-xs text-faint">{t(`stats.${name}`)}</dt>
            <dd className="mt-0.5 text-xl font-semibold tabular-nums">{tokens(stats.overview[name])}</dd>
          </div>
        ))}
      </dl>
      <section aria-labelledby="distribution">
        <h2 id="distribution" className="mb-3 text-lg font-semibold">
          {t('stats.distribution')}
        </h2>
        <ul className="grid gap-2.5">
          {SHARES.map(([name, level]) => (
            <li key={name} className="grid grid-cols-[6.5rem_1fr_4rem] items-center gap-3 text-sm">
              <span className="text-soft">{t(`stats.share.${name}`)}</span>
              <span aria-hidden className="h-4 overflow-hidden rounded bg-line">
                <span
                  className={`block h-full ${LEVEL_LOOK[level].fill}`}
                  style={{ width: `${(stats.distribution[name] / most) * 100}%` }}
                />
              </span>
              <span className="text-right tabular-nums">
                {t('stats.people', { n: tokens(stats.distribution[name]) })}
              </span>
            </li>
          ))}
        </ul>
      </section>
      <section>
        <h2 className="mb-3 text-lg font-semibold">{t('stats.top')}</h2>
        <Top users={stats.topUsers} />
      </section>
    </div>
  );
}

const ORDERS = ['usedTokens', 'usagePercent', 'remainingTokens'] as const;

/** There are at most a hundred, so the page itself sorts and searches them. */
function Top({ users }: { users: Stats['topUsers'] }) {
  const { t } = useTranslation(['admin', 'people']);
  const { tokens, percent } = useFigures();
  const [{ who = '', order }] = useAddress();
  const by = ORDERS.find((name) => name === order) ?? 'usedTokens';
  const shown = users
    .filter((user) => isMeant(user, who))
    .toSorted((a, b) => (by === 'remainingTokens' ? a[by] - b[by] : b[by] - a[by]));
  return (
    <>
      <Filters>
        <TextFilter name="who" label={t('people:find')} placeholder={t('people:findHint')} />
        <ChoiceFilter
          name="order"
          label={t('stats.order')}
          any={t('stats.orderOf.usedTokens')}
          options={[
            ['usagePercent', t('stats.orderOf.usagePercent')],
            ['remainingTokens', t('stats.orderOf.remainingTokens')],
          ]}
        />
      </Filters>
      <Table
        label={t('stats.top')}
        items={shown}
        keyOf={({ userId }) => userId}
        empty={t('users.none')}
        columns={[
          {
            title: t('people:person'),
            cell: (user) => <PersonLink person={user} userId={user.userId} />,
          },
          { title: t('stats.used'), numeric: true, cell: ({ usedTokens }) => tokens(usedTokens) },
          {
            title: t('stats.percent'),
            numeric: true,
            cell: ({ usagePercent, level }) => <span className={LEVEL_LOOK[level].ink}>{percent(usagePercent)}</span>,
          },
          { title: t('stats.left'), numeric: true, cell: ({ remainingTokens }) => tokens(remainingTokens) },
          { title: t('turns.purchased'), numeric: true, cell: ({ purchasedTokens }) => tokens(purchasedTokens) },
        ]}
      />
    </>
  );
}

/** As the API searches for people: a number, or the beginning of an e-mail or a name, in any case. */
function isMeant({ userId, email, name }: Schemas['Person'], typed: string): boolean {
  const who = typed.normalize('NFC').toLowerCase();
  return (
    String(userId) === who || [email, name].some((text) => text?.toLowerCase().startsWith(who) === true) || who === ''
  );
}
