import { Command } from 'commander';
import { OutcomeUnknown } from '../db/driver/outcome.ts';
import { AppError } from '../domain/errors.ts';
import { SetupError } from '../domain/setup-error.ts';
import { readConfig } from '../platform/config/config.ts';
import { addHistoryCheck } from './history-check.ts';
import { addHistoryRecord } from './history-record.ts';
import { addMigrate } from './migrate.ts';
import { addReconcileRun } from './reconcile-run.ts';
import { addRedrive } from './redrive.ts';
import { addSchedulesCheck } from './schedules-check.ts';
import { addSchedulesRepair } from './schedules-repair.ts';
import { addStats } from './stats.ts';
import { addStatus } from './status.ts';
import { addTokenCreate } from './token-create.ts';
import { addTokenRevoke } from './token-revoke.ts';
import { addTurnsList } from './turns-list.ts';
import { addTurnsReplay } from './turns-replay.ts';
import { addTurnsShow } from './turns-show.ts';
import { addUserCreate } from './user-create.ts';
import { addUserGrant } from './user-grant.ts';
import { addUserReverse } from './user-reverse.ts';
import { addUserShow } from './user-show.ts';
import { addUserResume, addUserSuspend } from './user-suspend.ts';

/** `npm run -s turnkeeper -- <command>`. Results go to standard output, everything else to standard error. */
function createProgram(): Command {
  const program = new Command('turnkeeper')
    .description(
      'Looks after a Turnkeeper installation: the database of DATABASE_URL, or else the stack that `npm start` runs on DATA_DIR.',
    )
    .showHelpAfterError('(add --help for what there is)')
    .addHelpText(
      'after',
      '\nExit codes: 0 done, and all is well; 1 refused, not found, not reachable or misused (one sentence on standard error says which); 2 done, and what it found is not right: a check, or a redrive with --wait of which turns failed again or were left undone.',
    );
  addStatus(program, readConfig);
  addMigrate(program, readConfig);
  const user = program.command('user').description('users, and tokens granted to them');
  addUserCreate(user, readConfig);
  addUserGrant(user, readConfig);
  addUserReverse(user, readConfig);
  addUserShow(user, readConfig);
  addUserSuspend(user, readConfig);
  addUserResume(user, readConfig);
  const turns = program.command('turns').description('turns of all users: which failed, and why');
  addTurnsList(turns, readConfig);
  addTurnsShow(turns, readConfig);
  addTurnsReplay(turns, readConfig);
  addRedrive(program.command('redrive').description('replays of many failed turns'), readConfig);
  addStats(program, readConfig);
  addReconcileRun(
    program.command('reconcile').description('turns that nothing runs any more, and counters against the ledger'),
    readConfig,
  );
  const token = program.command('token').description('bearer tokens: shown once, stored as a hash');
  addTokenCreate(token, readConfig);
  addTokenRevoke(token, readConfig);
  const schedules = program
    .command('schedules')
    .description('the Temporal schedules of users: monthly resets, and hourly checks from 90 % on');
  addSchedulesCheck(schedules, readConfig);
  addSchedulesRepair(schedules, readConfig);
  const history = program
    .command('history')
    .description('histories of workflows, and whether the workflow code here still fits them');
  addHistoryRecord(history, readConfig);
  addHistoryCheck(history, readConfig);
  return program;
}

/** One sentence for what the person can mend. Any other error is our fault, and shows where it happened. */
function sentenceOf(error: unknown): string {
  if (error instanceof SetupError) return error.message;
  if (error instanceof AppError) {
    const { field, reason } = error.details;
    if (typeof field === 'string' && typeof reason === 'string') return `${field}: ${reason}.`;
    return error.code === 'not_found' ? 'There is no such user, turn, redrive or grant.' : `Refused: ${error.code}.`;
  }
  if (error instanceof OutcomeUnknown)
    return 'PostgreSQL did not say whether it was done. Look before you do it again.';
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

try {
  await createProgram().parseAsync();
} catch (error) {
  process.stderr.write(`turnkeeper: ${sentenceOf(error)}\n`);
  process.exitCode = 1;
}
