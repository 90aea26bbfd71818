import { Route, Switch } from 'wouter';
import { useMe } from '../session/me.ts';
import { NotFound } from '../ui/NotFound.tsx';
import { AuditPage } from './audit/AuditPage.tsx';
import { BatchPage } from './codes/BatchPage.tsx';
import { CodesPage } from './codes/CodesPage.tsx';
import { DeliveriesPage } from './deliveries/DeliveriesPage.tsx';
import { ResendPage, ResendsPage } from './deliveries/Resends.tsx';
import { HomePage } from './home/HomePage.tsx';
import { ModelsPage } from './models/ModelsPage.tsx';
import { DisputesPage } from './purchases/DisputesPage.tsx';
import { PurchasePage } from './purchases/PurchasePage.tsx';
import { PurchasesPage } from './purchases/PurchasesPage.tsx';
import { RevenuePage } from './purchases/RevenuePage.tsx';
import { UnmatchedPage } from './purchases/UnmatchedPage.tsx';
import { OperatorReportPage } from './reports/OperatorReportPage.tsx';
import { OperatorReports } from './reports/OperatorReports.tsx';
import { RedrivePage } from './redrives/RedrivePage.tsx';
import { RedrivesPage } from './redrives/RedrivesPage.tsx';
import { StatsPage } from './stats/StatsPage.tsx';
import { TurnPage } from './turns/TurnPage.tsx';
import { TurnsPage } from './turns/TurnsPage.tsx';
import { UserPage } from './users/UserPage.tsx';
import { UsersPage } from './users/UsersPage.tsx';

/** These pages are drawn for admins only; the API refuses everybody else on its own. */
export function AdminPages() {
  const { role } = useMe();
  if (role !== 'admin') return <NotFound />;
  return (
    <Switch>
      <Route path="/admin">
        <HomePage />
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
      <Route path="/admin/models">
        <ModelsPage />
      </Route>
      <Route path="/admin/purchases">
        <PurchasesPage />
      </Route>
      <Route path="/admin/purchases/revenue">
        <RevenuePage />
      </Route>
      <Route path="/admin/purchases/disputes">
        <DisputesPage />
      </Route>
      <Route path="/admin/purchases/unmatched">
        <UnmatchedPage />
      </Route>
      <Route path="/admin/purchases/:purchaseId">
        {({ purchaseId }) => <PurchasePage key={purchaseId} purchaseId={purchaseId} />}
      </Route>
      <Route path="/admin/codes">
        <CodesPage />
      </Route>
      <Route path="/admin/codes/:batchId">{({ batchId }) => <BatchPage key={batchId} batchId={batchId} />}</Route>
      <Route path="/admin/reports">
        <OperatorReports />
      </Route>
      <Route path="/admin/reports/:label">{({ label }) => <OperatorReportPage key={label} label={label} />}</Route>
      <Route path="/admin/deliveries">
        <DeliveriesPage />
      </Route>
      <Route path="/admin/deliveries/resends">
        <ResendsPage />
      </Route>
      <Route path="/admin/deliveries/resends/:resendId">
        {({ resendId }) => <ResendPage key={resendId} resendId={resendId} />}
      </Route>
      <Route path="/admin/audit">
        <AuditPage />
      </Route>
      <Route>
        <NotFound />
      </Route>
    </Switch>
  );
}
