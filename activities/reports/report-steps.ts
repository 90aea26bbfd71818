import { Context } from '@temporalio/activity';
import { tellReport } from '../../db/channels/tell-report.ts';
import { findAccount } from '../../db/money/accounts.ts';
import { makeForecasts } from '../../db/reports/forecasts.ts';
import { getOperatorReport, listOperatorMonths } from '../../db/reports/operator/reports.ts';
import { findUsedBefore, getReport } from '../../db/reports/person/reports.ts';
import { startDeliveries } from '../../operations/channels/start-deliveries.ts';
import type { ReportActivities } from '../../workflows/contract/reports.ts';
import type { ActivityDeps } from '../deps.ts';

const ACCOUNTS_AT_A_TIME = 500;

/** Each may run twice: a report is made once, its person is told once, and an account is forecast once a day. */
export function createReportSteps(deps: ActivityDeps): ReportActivities {
  const { database, channels, models } = deps;
  return {
    async makeReport({ userId, period }) {
      const owner = await findAccount(database.sql, userId);
      const label = owner === null ? null : await findUsedBefore(database.sql, { ...owner, label: period });
      if (owner === null || label === null) return { label: null, deliveries: 0 };
      const report = await getReport(database, { ...owner, label });
      const deliveryIds = await tellReport(database, { userId, report, outward: channels.outward });
      await startDeliveries(deps, deliveryIds);
      return { label, deliveries: deliveryIds.length };
    },
    async forecastUsage() {
      let [accounts, made] = [0, 0];
      for (let after = 0; ;) {
        const page = await makeForecasts(database, { after, limit: ACCOUNTS_AT_A_TIME });
        Context.current().heartbeat();
        accounts += page.accounts;
        made += page.made;
        if (page.accounts < ACCOUNTS_AT_A_TIME) return { accounts, made };
        after = page.last;
      }
    },
    async makeOperatorReport() {
      const [newest] = await listOperatorMonths(database);
      if (newest === undefined) return { label: null };
      await getOperatorReport(database, { label: newest.label, models });
      return { label: newest.label };
    },
  };
}
