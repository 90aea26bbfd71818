import { findTitles, getReport, listReports } from '../../db/reports/person/reports.ts';
import { AppError } from '../../domain/errors.ts';
import type { ReportDocument } from '../../domain/reports/document.ts';
import { linesOf, REPORT_COLUMNS } from '../../domain/reports/lines.ts';
import { personDocument } from '../../domain/reports/person-document.ts';
import { PdfMakerBusy, type PdfMaker } from '../../platform/pdf/pdf-maker.ts';
import type { ApiDeps, Caller } from '../context.ts';
import { sendCsv } from '../http/csv.ts';
import { defineRoute, type Reply, type Route } from '../http/route.ts';
import { presentReport } from '../present/report.ts';
import { reportPage, reportParams, reportQuery, reportsQuery, usageReport } from '../wire/report.ts';

type ReportDeps = Pick<ApiDeps, 'database' | 'pdf'>;

/** What an account's months came to, once they are over. */
export function reportRoutes({ database, pdf }: ReportDeps): Route[] {
  return [
    defineRoute({
      method: 'get',
      path: '/api/reports',
      access: 'user',
      tag: 'Account',
      limit: 'read',
      summary: 'The months of which there is a usage pattern report',
      query: reportsQuery,
      answers: { 200: { description: 'A page', body: reportPage } },
      errors: [],
      async handle({ principal: { accountId } }, { query: { limit, cursor } }) {
        return { status: 200, body: await listReports(database, { accountId, limit, cursor: cursor ?? null }) };
      },
    }),
    defineRoute({
      method: 'get',
      path: '/api/reports/:label',
      access: 'user',
      tag: 'Account',
      limit: 'read',
      summary: 'The usage pattern report of a month that is over: JSON, CSV or PDF, by `Accept` or `format`',
      params: reportParams,
      query: reportQuery,
      answers: { 200: { description: 'The report', body: usageReport, ...FILE_ANSWERS } },
      errors: ['not_found', 'overloaded'],
      async handle(caller, { params: { label }, query: { format } }) {
        const { principal, locale } = caller;
        const report = await getReport(database, { accountId: principal.accountId, label });
        const file = { name: `turnkeeper-report-${label}`, report, document: () => personDocument(report, locale) };
        const sent = await sendFile(caller, { pdf, format, ...file });
        if (sent !== 'json') return sent;
        const turnIds = report.costliest.map(({ turnId }) => turnId);
        const titles = await findTitles(database, { userId: principal.userId, turnIds });
        return { status: 200, headers: { Vary: 'Accept' }, body: presentReport(report, titles) };
      },
    }),
  ];
}

/** How a report's other forms are described. */
export const FILE_ANSWERS = {
  csv: 'RFC 4180 with a header line: `block,key,figure,value`, one figure a line',
  pdf: 'A tagged PDF in your language (`Accept-Language`). The same report gives the same bytes',
} as const;

const TYPES = { 'application/json': 'json', 'text/csv': 'csv', 'application/pdf': 'pdf' } as const;
type Format = (typeof TYPES)[keyof typeof TYPES];

/** Answers with a file where one is asked for. @returns `json` where none is. */
export async function sendFile(
  { request, response, gone }: Caller,
  file: {
    pdf: PdfMaker;
    format: Format | undefined;
    name: string;
    report: object;
    document: () => ReportDocument;
  },
): Promise<'json' | Reply | null> {
  const asked = request.accepts(Object.keys(TYPES)) as keyof typeof TYPES | false;
  const format = file.format ?? (asked === false ? 'json' : TYPES[asked]);
  if (format === 'json') return 'json';
  if (format === 'csv')
    return sendCsv(response, {
      fileName: `${file.name}.csv`,
      columns: REPORT_COLUMNS,
      batches: [linesOf(file.report)],
      gone,
    });
  const bytes = await file.pdf.make(file.document()).catch((cause: unknown) => {
    if (cause instanceof PdfMakerBusy) throw new AppError('overloaded', { retryAfter: 5 }, { cause });
    throw cause;
  });
  response.status(200).set({
    'Content-Type': 'application/pdf',
    'Content-Disposition': `attachment; filename="${file.name}.pdf"`,
    'Content-Length': String(bytes.length),
    Vary: 'Accept, Accept-Language',
  });
  response.end(bytes);
  return null;
}
