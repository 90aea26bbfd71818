import { useTranslation } from 'react-i18next';
import { Link, Redirect, Route, Switch, useLocation } from 'wouter';
import { useMe } from '../session/me.ts';
import { NotFound } from '../shell/NotFound.tsx';
import { AuditPage } from './AuditPage.tsx';
import { RedrivePage } from './RedrivePage.tsx';
import { RedrivesPage } from './RedrivesPage.tsx';
import { StatsPage } from './StatsPage.tsx';
import { TurnPage } from './TurnPage.tsx';
import { TurnsPage } from './TurnsPage.tsx';
import { UserPage } from './UserPage.tsx';
import { UsersPage } from './UsersPage.tsx';

const SECTIONS = ['stats', 'turns', 'redrives', 'users', 'audit'] as const;

/** Drawn for admins; the API refuses everybody else by itself. */
export function AdminPages() {
  const { role } = useMe();
  if (role !== 'admin') return <NotFound />;
  return (
    <Switch>
      <Route path="/admin">
        <Redirect to="/admin/stats" replace />
      </Route>
      <Route path="/admin/stats">
        <StatsPage />
      </Route>
      <Route path="/admin/turns">
        <TurnsPage />
      </Route>
      <Route path="/admin/turns/:turnId">{({ turnId }) => <TurnPage key={turnId} turnId={turnId} />}</Route>
      <Route path="/admin/redrives">
        <RedrivesPage />
      </Route>
      <Route path="/admin/redrives/:redriveId">
        {({ redriveId }) => <RedrivePage key={redriveId} redriveId={redriveId} />}
      </Route>
      <Route path="/admin/users">
        <UsersPage />
      </Route>
      <Route path="/admin/users/:userId">{({ userId }) => <UserPage key={userId} userId={Number(userId)} />}</Route>
      <Route path="/admin/audit">
        <AuditPage />
      </Route>
      <Route>
        <NotFound />
      </Route>
    </Switch>
  );
}

export function AdminNav() {
  const { t } = useTranslation('admin');
  const [location] = useLocation();
  return (
    <nav aria-label={t('sections')} className="-mt-2 mb-6 flex gap-1 overflow-x-auto border-b border-line">
      {SECTIONS.map((section) => {
        const current = location.startsWith(`/admin/${section}`);
        return (
          <Link
            key={section}
            href={`/admin/${section}`}
            aria-current={current ? 'page' : undefined}
            className={`rounded-t-lg border-b-2 px-3.5 py-2 text-sm font-medium whitespace-nowrap ${current ? 'border-accent text-accent' : 'border-transparent text-soft hover:text-ink'}`}
          >
            {t(`section.${section}`)}
          </Link>
        );
      })}
    </nav>
  );
}
