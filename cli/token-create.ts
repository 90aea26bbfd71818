import { InvalidArgumentError, type Command } from 'commander';
import { createToken } from '../db/people/key-holders.ts';
import { isInRange, RANGE } from '../domain/period.ts';
import { instantOf, positiveInteger, print } from './output.ts';
import { withDatabase, type ReadConfig } from './target.ts';

export function addTokenCreate(token: Command, readConfig: ReadConfig): void {
  token
    .command('create')
    .description('mint another bearer token for a user; it is shown here and never again')
    .argument('<userId>', 'whose token', positiveInteger)
    .option(
      '--expires <when>',
      'when it ends by itself: 2027-01-31, 2027-01-31T09:00:00Z, or after 90d, 12h or 30m',
      ending,
    )
    .option('--json', 'print {"tokenId": 1, "token": "…", "expiresAt": null}')
    .action(async (userId: number, { expires = null, json }: { expires?: number | null; json?: boolean }) => {
      await withDatabase(readConfig(), async (database) => {
        const created = await createToken(database, { userId, expiresAt: expires });
        const expiresAt = expires === null ? null : instantOf(expires);
        const lines = [
          `token id  ${created.tokenId}`,
          `token     ${created.token}`,
          `expires   ${expiresAt ?? 'never'}`,
        ];
        print({ ...created, expiresAt }, { json, text: lines.join('\n') });
      });
    });
}

const UNITS_MS = { d: 86_400_000, h: 3_600_000, m: 60_000 } as const;

/** An instant, or so long from now. @returns milliseconds. @throws InvalidArgumentError also for what is past. */
function ending(value: string): number {
  const [, count, unit] = /^([1-9]\d{0,5})([dhm])$/.exec(value) ?? [];
  const at =
    unit === undefined
      ? /^\d{4}-\d{2}-\d{2}(T|$)/.test(value)
        ? Date.parse(value)
        : NaN
      : Date.now() + Number(count) * UNITS_MS[unit as keyof typeof UNITS_MS];
  if (!isInRange(at) || at <= Date.now())
    throw new InvalidArgumentError(`It must be a day or an instant to come, ${RANGE}, or a span like 90d, 12h or 30m.`);
  return at;
}
