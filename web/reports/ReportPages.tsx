import { Route, Switch } from 'wouter';
import { NotFound } from '../ui/NotFound.tsx';
import { ReportList } from './ReportList.tsx';
import { ReportPage } from './ReportPage.tsx';

export function ReportPages() {
  return (
    <Switch>
      <Route path="/usage/reports">
        <ReportList />
      </Route>
      <Route path="/usage/reports/:label">{({ label }) => <ReportPage key={label} label={label} />}</Route>
      <Route>
        <NotFound />
      </Route>
    </Switch>
  );
}
