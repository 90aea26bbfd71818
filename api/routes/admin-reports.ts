import { getOperatorReport, listOperatorMonths } from '../../db/reports/operator/reports.ts';
import { operatorDocument } from '../../domain/reports/operator-document.ts';
import type { ApiDeps } from '../context.ts';
import { defineRoute, type Route } from '../http/route.ts';
import { presentOperatorReport } from '../present/report.ts';
import { operatorReport, operatorReportPage, reportParams, reportQuery } from '../wire/report.ts';
import { FILE_ANSWERS, sendFile } from './reports.ts';

/** What months of all accounts came to. */
export function adminReportRoutes({ database, models, pdf }: Pick<ApiDeps, 'database' | 'models' | 'pdf'>): Route[] {
  return [
    defineRoute({
      method: 'get',
      path: '/api/admin/reports',
      access: 'admin',
      tag: 'Admin',
      limit: 'read',
      summary: 'The months of which there is a report of all accounts',
      answers: { 200: { description: 'All of them', body: operatorReportPage } },
      errors: [],
      async handle() {
        return { status: 200, body: { items: await listOperatorMonths(database) } };
      },
    }),
    defineRoute({
      method: 'get',
      path: '/api/admin/reports/:label',
      access: 'admin',
      tag: 'Admin',
      limit: 'read',
      summary: 'The report of a month of all accounts: JSON, CSV or PDF, by `Accept` or `format`',
      params: reportParams,
      query: reportQuery,
      answers: { 200: { description: 'The report', body: operatorReport, ...FILE_ANSWERS } },
      errors: ['not_found', 'overloaded'],
      async handle(caller, { params: { label }, query: { format } }) {
        const report = await getOperatorReport(database, { label, models });
        const document = () => operatorDocument(report, caller.locale);
        const sent = await sendFile(caller, { pdf, format, name: `turnkeeper-operator-${label}`, report, document });
        if (sent !== 'json') return sent;
        return { status: 200, headers: { Vary: 'Accept' }, body: presentOperatorReport(report) };
      },
    }),
  ];
}
