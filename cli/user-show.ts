import type { Command } from 'commander';
import { getUser, listEntries, listLiveHolds } from '../db/reports/admin-users.ts';
import { readUsage } from '../db/money/usage.ts';
import { lookAlikesOf } from '../domain/email.ts';
import { instantOf, positiveInteger, print, table } from './output.ts';
import { withDatabase, type ReadConfig } from './target.ts';

export function addUserShow(user: Command, readConfig: ReadConfig): void {
  user
    .command('show')
    .description('one user: account, usage, live holds and the newest entries of the ledger')
    .argument('<userId>', 'whose', positiveInteger)
    .option('--json', 'print {"user", "usage", "holds": […], "entries": […]}')
    .action(async (userId: number, { json }: { json?: boolean }) => {
      await withDatabase(readConfig(), async (database) => {
        const shown = await getUser(database.sql, userId);
        const { accountId } = shown;
        const [usage, holds, entries] = await Promise.all([
          readUsage(database, { accountId }),
          listLiveHolds(database.sql, accountId),
          listEntries(database.sql, { accountId, limit: 20, cursor: null }),
        ]);
        const facts = [
          ['user', String(userId)],
          ['e-mail', [shown.email ?? '', ...lookAlikesOf(shown.email)].join('  ')],
          ...(shown.issuer === null
            ? []
            : [
                ['issuer', shown.issuer],
                ['subject', shown.subject ?? ''],
              ]),
          ['role', shown.role],
          ['zone', shown.timeZone],
          ['suspended', shown.suspendedAt === null ? 'no' : instantOf(shown.suspendedAt)],
          ['used', `${usage.usedTokens} of ${usage.totalAvailable} (${usage.usagePercent} %, ${usage.level})`],
          ['held', `${usage.heldTokens} by ${holds.length} turns`],
          ['purchased', String(usage.purchasedTokens)],
          ['resets', instantOf(usage.resetsAt)],
        ];
        const rows = entries.items.map(({ entryId, kind, tokens, period, turnId, reason, createdAt }) => [
          String(entryId),
          kind,
          String(tokens),
          period,
          instantOf(createdAt),
          turnId ?? reason ?? '',
        ]);
        const ledger =
          rows.length === 0
            ? 'Nothing booked yet.'
            : table([['entry', 'kind', 'tokens', 'period', 'booked', 'for'], ...rows]);
        print({ user: shown, usage, holds, entries: entries.items }, { json, text: `${table(facts)}\n\n${ledger}` });
      });
    });
}
