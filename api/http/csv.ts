import type { Request, Response } from 'express';
import { drained } from './event-stream.ts';

export type Cell = string | number | boolean | null;

/** Text that a spreadsheet would take for a formula when it opens the file. */
const FORMULA = /^[=+\-@\t\r\n＝＋－＠]/;

/**
 * One record in the form of RFC 4180. An apostrophe is put before text that begins like a formula. Numbers stay
 * numbers, also below 0.
 */
export function csvLine(cells: readonly Cell[]): string {
  return `${cells.map(cellOf).join(',')}\r\n`;
}

function cellOf(cell: Cell): string {
  if (typeof cell !== 'string') return String(cell ?? '');
  const safe = FORMULA.test(cell) ? `'${cell}` : cell;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

/**
 * Streams a header and the lines of each batch, no faster than the reader reads, so that memory holds one batch at
 * most. An error on the way cuts the connection, so that half a file is never taken for a whole one.
 */
export async function sendCsv(
  response: Response,
  {
    fileName,
    columns,
    batches,
    gone,
    status = 200,
    mark = false,
  }: {
    fileName: string;
    columns: readonly string[];
    batches: AsyncIterable<readonly (readonly Cell[])[]> | Iterable<readonly (readonly Cell[])[]>;
    gone: AbortSignal;
    status?: number;
    /** Whether it begins with the mark by which Excel knows UTF-8. */
    mark?: boolean;
  },
): Promise<null> {
  const begin = () =>
    response.status(status).set({
      'Content-Type': 'text/csv; charset=utf-8; header=present',
      'Content-Disposition': `attachment; filename="${fileName}"`,
      Vary: 'Accept',
    });
  let text = `${mark ? '\uFEFF' : ''}${csvLine(columns)}`;
  for await (const batch of batches) {
    if (gone.aborted) return null;
    if (!response.headersSent) begin();
    if (!response.write(text + batch.map(csvLine).join(''))) await drained(response);
    text = '';
  }
  if (!response.headersSent) begin();
  response.end(text);
  return null;
}

export const CSV_OF_TABLE =
  'RFC 4180 in UTF-8 with its mark (Excel needs it) and a header line: every row of the filter, whatever `limit` and `cursor` say';

/** Of an answer that is JSON or CSV. */
export const VARY = { Vary: 'Accept' };

export function wantsCsv(request: Request): boolean {
  return request.accepts(['application/json', 'text/csv']) === 'text/csv';
}

const PEOPLE = new Set(['person', 'admin', 'about']);

/** The columns of a table whose items have these fields: of a person, the e-mail and the name. */
export function columnsOfTable(item: object): string[] {
  return Object.keys(item).flatMap((name) => (PEOPLE.has(name) ? [`${name}.email`, `${name}.name`] : [name]));
}

/** Lines that one query reads unless told. */
const BATCH = 1_000;

/**
 * Streams all pages of a table.
 * @param table.columns names of the items' fields; `error.code` is a field of a field.
 * @param table.list reads a page as the JSON answer would show it.
 */
export function sendTable(
  { response, gone }: { readonly response: Response; readonly gone: AbortSignal },
  {
    name,
    columns,
    list,
    batch = BATCH,
  }: {
    readonly name: string;
    /** For a table whose every page is a look at all of it. */
    readonly batch?: number | undefined;
    readonly columns: readonly string[];
    list(page: { limit: number; cursor: string | null }): Promise<Listed>;
  },
): Promise<null> {
  async function* batches(): AsyncGenerator<Cell[][]> {
    for (let cursor: string | null = null, first = true; first || cursor !== null; first = false) {
      const page: Listed = await list({ limit: batch, cursor });
      yield page.items.map((item) => columns.map((column) => plain(fieldOf(item, column))));
      cursor = page.nextCursor;
    }
  }
  return sendCsv(response, { fileName: `turnkeeper-${name}.csv`, columns, batches: batches(), gone, mark: true });
}

interface Listed {
  readonly items: readonly object[];
  readonly nextCursor: string | null;
}

function fieldOf(item: object, column: string): unknown {
  return column.split('.').reduce<unknown>((value, name) => (value as Record<string, unknown> | null)?.[name], item);
}

/** Lists are separated by spaces; what has fields of its own is JSON. */
function plain(value: unknown): Cell {
  if (value === undefined || value === null) return null;
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') return value;
  return Array.isArray(value) && value.every((part) => typeof part !== 'object')
    ? value.join(' ')
    : JSON.stringify(value);
}
