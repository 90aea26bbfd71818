import { createInterface } from 'node:readline/promises';
import { InvalidArgumentError } from 'commander';
import { SetupError } from '../domain/setup-error.ts';
import { isReason, MOST_REASON, parseId } from '../domain/text.ts';

/** Exit code of a command that ran to its end and found something wrong. A command that could not run exits with 1. */
export const FOUND_WRONG = 2;

/** A command's result: for people, or with `--json` one JSON object on one line. */
export function print(result: object, { json, text }: { json: boolean | undefined; text: string }): void {
  process.stdout.write(`${json === true ? JSON.stringify(result) : text}\n`);
}

/** Columns padded to their widest cell; the first row is the heading. */
export function table(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

/** Parses an id or a count of tokens. */
export function positiveInteger(value: string): number {
  const number = parseId(value);
  if (number === null) throw new InvalidArgumentError('It must be a whole number from 1, in plain digits.');
  return number;
}

/** Parses the reason for the audit log. */
export function reasonText(value: string): string {
  const reason = value.trim();
  if (!isReason(reason)) throw new InvalidArgumentError(`It must have 1 to ${MOST_REASON} characters.`);
  return reason;
}

/** @param at milliseconds. */
export function instantOf(at: number): string {
  return new Date(at).toISOString();
}

/**
 * Asks before an action that no other command undoes.
 * @throws SetupError when nobody can answer, or the answer is no.
 */
export async function confirm(question: string, yes: boolean | undefined): Promise<void> {
  if (yes === true) return;
  if (!process.stdin.isTTY) throw new SetupError(`${question} Say --yes: nobody can answer here.`);
  const asked = createInterface({ input: process.stdin, output: process.stderr });
  try {
    if (!/^y(es)?$/i.test((await asked.question(`${question} [y/N] `)).trim()))
      throw new SetupError('Nothing was done.');
  } finally {
    asked.close();
  }
}

const SAY_EVERY_MS = 2_000;

/**
 * Reports on standard error that a long step goes on: one line that counts up on a terminal, elsewhere a plain line
 * every 2 s.
 */
export async function withProgress<T>(what: string, work: Promise<T>): Promise<T> {
  const began = performance.now();
  const [before, after] = process.stderr.isTTY ? ['\r', ''] : ['', '\n'];
  const timer = setInterval(
    () => process.stderr.write(`${before}${what} … ${Math.round((performance.now() - began) / 1_000)} s${after}`),
    SAY_EVERY_MS,
  );
  try {
    return await work;
  } finally {
    clearInterval(timer);
    if (process.stderr.isTTY && performance.now() - began > SAY_EVERY_MS) process.stderr.write('\n');
  }
}
