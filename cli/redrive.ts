import { setTimeout as sleep } from 'node:timers/promises';
import { InvalidArgumentError, type Command } from 'commander';
import type { Database } from '../db/database.ts';
import { planRedrive } from '../db/redrives/plan.ts';
import { getRedrive, listRedrives, type RedriveRecord } from '../db/redrives/redrives.ts';
import { CLI_ACTOR } from '../domain/audit.ts';
import { AppError } from '../domain/errors.ts';
import {
  countDone,
  countSkipped,
  countTurns,
  isOver,
  RATE_PER_SECOND,
  REDRIVE_LIMIT,
  type RedriveProgress,
  type RedriveStep,
} from '../domain/redrive.ts';
import { SetupError } from '../domain/setup-error.ts';
import { startRedrive, stepRedrive } from '../operations/run-redrive.ts';
import { withOperations } from './operations.ts';
import { confirm, FOUND_WRONG, instantOf, positiveInteger, print, reasonText, table } from './output.ts';
import { withDatabase, type ReadConfig } from './target.ts';
import { addTurnFilter, filterOf, uuid, type FilterOptions } from './turn-filter.ts';

interface StartOptions extends FilterOptions {
  readonly reason: string;
  readonly rate: number;
  readonly limit: number;
  readonly includeSuperseded?: boolean;
  readonly dryRun?: boolean;
  readonly yes?: boolean;
  readonly wait?: boolean;
  readonly json?: boolean;
}

/** `turnkeeper redrive …` replays many failed turns. Each is debited once, when it succeeds. */
export function addRedrive(redrive: Command, readConfig: ReadConfig): void {
  addStart(redrive, readConfig);
  redrive
    .command('list')
    .description('newest first')
    .option('--limit <number>', 'at most so many', upTo(100), 20)
    .option('--cursor <cursor>', '`nextCursor` of the page before')
    .option('--json', 'print {"items": [redrive], "nextCursor"}')
    .action(({ limit, cursor, json }: { limit: number; cursor?: string; json?: boolean }) =>
      withDatabase(readConfig(), async (database) => {
        const page = await listRedrives(database, { limit, cursor: cursor ?? null });
        const rows = page.items.map(({ redriveId, createdAt, state, adminId, progress, reason }) => [
          redriveId,
          instantOf(createdAt),
          state,
          doneOf(progress),
          adminId === null ? 'CLI' : String(adminId),
          reason.replaceAll(/\s+/g, ' '),
        ]);
        const lines = [
          rows.length === 0
            ? 'There is no redrive yet.'
            : table([['redrive', 'began', 'state', 'done', 'by', 'reason'], ...rows]),
          ...(page.nextCursor === null ? [] : [`more: --cursor ${page.nextCursor}`]),
        ];
        print(page, { json, text: lines.join('\n') });
      }),
    );
  redrive
    .command('status')
    .description('how far it is; with --wait, until it is over')
    .argument('<redriveId>', 'its id', uuid)
    .option('--wait', 'follow it until it is over')
    .option('--json', 'print it as one JSON object')
    .action((redriveId: string, { wait, json }: { wait?: boolean; json?: boolean }) =>
      withDatabase(readConfig(), async (database) => {
        if (wait === true) return printEnd(await follow(database, redriveId), json);
        const record = await getRedrive(database.sql, redriveId);
        print(record, { json, text: describe(record) });
      }),
    );
  addStep(redrive, readConfig, 'pause', 'paused', 'begin nothing more until it is resumed; what runs goes on');
  addStep(redrive, readConfig, 'resume', 'running', 'go on; also starts one that Temporal has lost');
  addStep(redrive, readConfig, 'cancel', 'cancelling', 'begin nothing more, ever; what runs goes on and is noted');
}

function addStart(redrive: Command, readConfig: ReadConfig): void {
  addTurnFilter(redrive.command('start'))
    .description('replay the failed turns that match, oldest first; asks before more than one')
    .requiredOption('--reason <text>', 'why, for the audit log', reasonText)
    .option(
      '--rate <number>',
      `turns a second, 1 to ${RATE_PER_SECOND.most}`,
      upTo(RATE_PER_SECOND.most),
      RATE_PER_SECOND.default,
    )
    .option(
      '--limit <number>',
      `turns at most, 1 to ${REDRIVE_LIMIT.most}`,
      upTo(REDRIVE_LIMIT.most),
      REDRIVE_LIMIT.default,
    )
    .option('--include-superseded', 'also turns whose conversation has a later completed turn')
    .option('--dry-run', 'only say how many and which')
    .option('--yes', 'do not ask')
    .option('--wait', 'follow it until it is over')
    .option('--json', 'print the plan, or {"redriveId", "count"}, or with --wait the redrive')
    .action(async (options: StartOptions) => {
      const { reason, rate, limit, includeSuperseded = false, dryRun, yes, wait, json } = options;
      const request = { filter: filterOf(options), limit, includeSuperseded };
      const config = readConfig();
      const plan = await withDatabase(config, (database) => planRedrive(database.sql, request));
      const { count, matched, skipped } = plan;
      const planned = `${count} of ${matched} failed turns would be replayed (superseded ${skipped.superseded}, suspended ${skipped.suspended}, api ${skipped.api}).`;
      if (dryRun === true || count === 0) return print(plan, { json, text: planned });
      if (count > 1) await confirm(`${planned} Replay them?`, yes);
      await withOperations(
        config,
        async (deps) => {
          const wanted = { ...request, reason, ratePerSecond: rate, confirm: count, actor: CLI_ACTOR };
          const { redriveId } = await startRedrive(deps, wanted).catch(rethrowNotStarted);
          if (redriveId === null) return print(plan, { json, text: planned });
          if (wait !== true)
            return print({ redriveId, count }, { json, text: `Redrive ${redriveId} replays ${count} turns.` });
          printEnd(await follow(deps.database, redriveId), json);
        },
        { reachFirst: true },
      );
    });
}

function rethrowNotStarted(error: unknown): never {
  if (!(error instanceof AppError && error.code === 'unavailable')) throw error;
  const { redriveId } = error.details;
  throw new SetupError(
    `Redrive ${String(redriveId)} is written down, but Temporal did not start it: \`redrive resume ${String(redriveId)}\` does.`,
    { cause: error },
  );
}

function addStep(redrive: Command, readConfig: ReadConfig, name: string, to: RedriveStep, description: string): void {
  redrive
    .command(name)
    .description(description)
    .argument('<redriveId>', 'its id', uuid)
    .option('--reason <text>', 'why, for the audit log', reasonText)
    .option('--json', 'print the redrive as one JSON object')
    .action((redriveId: string, { reason, json }: { reason?: string; json?: boolean }) =>
      withOperations(
        readConfig(),
        async (deps) => {
          const record = await stepRedrive(deps, { redriveId, to, actor: CLI_ACTOR, reason: reason ?? null });
          print(record, { json, text: describe(record) });
        },
        { reachFirst: true },
      ),
    );
}

const LOOK_EVERY_MS = 500;

/**
 * Shows progress: on a terminal one line that counts up, elsewhere a plain line whenever something has changed. It does
 * not wait for a paused redrive.
 */
async function follow(database: Database, redriveId: string): Promise<RedriveRecord> {
  for (let said = ''; ; await sleep(LOOK_EVERY_MS)) {
    const record = await getRedrive(database.sql, redriveId);
    const line = describe(record);
    if (line !== said) process.stderr.write(process.stderr.isTTY ? `\r\u001b[K${line}` : `${line}\n`);
    said = line;
    if (!isOver(record) && record.state !== 'paused') continue;
    if (process.stderr.isTTY) process.stderr.write('\n');
    return record;
  }
}

/** Prints the end of a redrive that was followed. */
function printEnd(record: RedriveRecord, json: boolean | undefined): void {
  print(record, { json, text: describe(record) });
  if (record.progress.failed > 0 || record.progress.waiting > 0) process.exitCode = FOUND_WRONG;
}

const BAR = 20;

function describe({ redriveId, createdAt, progress }: RedriveRecord): string {
  const { state, waiting, running, completed, stopped, failed } = progress;
  const skipped = countSkipped(progress);
  const done = countDone(progress);
  const all = countTurns(progress);
  const full = all === 0 ? BAR : Math.floor((done * BAR) / all);
  return (
    `${redriveId} of ${instantOf(createdAt)}: ${state} [${'#'.repeat(full)}${'.'.repeat(BAR - full)}] ${doneOf(progress)}` +
    ` (completed ${completed}, stopped ${stopped}, failed ${failed}, skipped ${skipped}, running ${running}, waiting ${waiting})`
  );
}

function doneOf(progress: RedriveProgress): string {
  return `${countDone(progress)}/${countTurns(progress)}`;
}

function upTo(most: number): (value: string) => number {
  return (value) => {
    const number = positiveInteger(value);
    if (number > most) throw new InvalidArgumentError(`It must be at most ${most}.`);
    return number;
  };
}
