import { SetupError } from '../../domain/setup-error.ts';
import { installPackage } from './apt.ts';
import { findOnPath } from './program.ts';

/**
 * The pooler through which tests send statements.
 * @throws SetupError when there is none and none can be installed.
 */
export async function findPgBouncer(stopping: AbortSignal): Promise<string> {
  const found = findOnPath('pgbouncer') ?? (await installPackage('pgbouncer', ['pgbouncer'], stopping));
  if (found === null)
    throw new SetupError('No PgBouncer: install pgbouncer so that it is on PATH; the tests of the database need it.');
  return found;
}
