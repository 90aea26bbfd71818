import type { Response } from 'express';
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
  }: {
    fileName: string;
    columns: readonly string[];
    batches: AsyncIterable<readonly (readonly Cell[])[]> | Iterable<readonly (readonly Cell[])[]>;
    gone: AbortSignal;
    status?: number;
  },
): Promise<null> {
  const begin = () =>
    response.status(status).set({
      'Content-Type': 'text/csv; charset=utf-8; header=present',
      'Content-Disposition': `attachment; filename="${fileName}"`,
      Vary: 'Accept',
    });
  let text = csvLine(columns);
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
