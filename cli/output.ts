import { InvalidArgumentError } from 'commander';

/** A command's result: for people, or with `--json` one JSON object on one line. */
export function print(result: object, { json, text }: { json: boolean | undefined; text: string }): void {
  process.stdout.write(`${json === true ? JSON.stringify(result) : text}\n`);
}

/** Columns padded to their widest cell; the first row is the heading. */
export function table(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows.map((row) => row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  ').trimEnd()).join('\n');
}

/** An id or a count of tokens. */
export function positiveInteger(value: string): number {
  const number = Number(value);
  if (!/^\d+$/.test(value) || !Number.isSafeInteger(number) || number < 1) throw new InvalidArgumentError('It must be a whole number from 1.');
  return number;
}
