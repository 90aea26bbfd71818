import { InvalidArgumentError } from 'commander';

/** A command's result: for people, or with `--json` one JSON object on one line. */
export function print(result: object, { json, text }: { json: boolean | undefined; text: string }): void {
  process.stdout.write(`${json === true ? JSON.stringify(result) : text}\n`);
}

/** An id or a count of tokens. */
export function positiveInteger(value: string): number {
  const number = Number(value);
  if (!/^\d+$/.test(value) || !Number.isSafeInteger(number) || number < 1) throw new InvalidArgumentError('It must be a whole number from 1.');
  return number;
}
