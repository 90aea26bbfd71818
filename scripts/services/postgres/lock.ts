import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { SetupError } from '../../../domain/setup-error.ts';
import { startTimeOf } from '../identity.ts';
import { say } from '../say.ts';

/**
 * What PostgreSQL writes when it refuses a folder that another server may still use: the lock names a process that
 * runs, or processes still share the old server's memory.
 */
const REFUSED = /lock file "postmaster\.pid" already exists|pre-existing shared memory block/;
/**
 * The processes of a killed server end when they notice: mostly within milliseconds, later in the middle of a long
 * statement.
 */
const GONE_WITHIN_MS = 30_000;

/**
 * Launches a server on the folder `data`. It tries again while the folder is kept only by what a killed server left.
 * @throws SetupError of the last launch; at once when a living server keeps the folder.
 */
export async function launchWhenFree<T>(data: string, launch: () => Promise<T>): Promise<T> {
  const deadline = Date.now() + GONE_WITHIN_MS;
  for (let told = false; ; told = true) {
    try {
      return await launch();
    } catch (error) {
      if (!(error instanceof SetupError && REFUSED.test(error.message)) || Date.now() > deadline) throw error;
      const holder = holderOf(data);
      if (holder === 'server') throw error;
      // PostgreSQL looks only whether a process has the number, so a zombie that nobody reaps would keep the folder for
      // ever.
      if (holder === 'nobody') rmSync(join(data, 'postmaster.pid'), { force: true });
    }
    if (!told) say('waiting for what is left of a PostgreSQL that was killed');
    await sleep(100);
  }
}

/** Who keeps the folder: a living server, what is left of a dead one, or nobody. */
function holderOf(data: string): 'server' | 'remains' | 'nobody' {
  const lock = readLock(data);
  if (lock === null) return 'remains';
  const isRunning = startTimeOf(lock.pid) !== null;
  // A server without shared memory has just begun and is a single process.
  const users = lock.memory === null ? Number(isRunning) : usersOf(lock.memory);
  if (users === 0) return 'nobody';
  return isRunning ? 'server' : 'remains';
}

interface Lock {
  readonly pid: number;
  /** Key and id of the System V segment to which each process of the server is attached. */
  readonly memory: { readonly key: number; readonly id: number } | null;
}

/** `postmaster.pid` names the process in its first line and the shared memory in its seventh. */
function readLock(data: string): Lock | null {
  let lines: string[];
  try {
    lines = readFileSync(join(data, 'postmaster.pid'), 'utf8').split('\n');
  } catch {
    return null;
  }
  const [, key, id] = /^ *(\d+) +(\d+)$/.exec(lines[6] ?? '') ?? [];
  // A key is a signed number of 32 bits that is written as an unsigned one of 64.
  return {
    pid: Number(lines[0]),
    memory: key === undefined ? null : { key: Number(BigInt.asIntN(32, BigInt(key))), id: Number(id) },
  };
}

/** How many processes are attached to the memory; null where the system does not tell (only Linux does). */
function usersOf(memory: NonNullable<Lock['memory']>): number | null {
  let table: string;
  try {
    table = readFileSync('/proc/sysvipc/shm', 'utf8');
  } catch {
    return null;
  }
  // key, shmid, perms, size, cpid, lpid, nattch, …
  const segments = table.split('\n').map((line) => line.trim().split(/ +/).map(Number));
  return segments.find(([key, id]) => key === memory.key && id === memory.id)?.[6] ?? 0;
}
