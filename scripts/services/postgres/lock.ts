import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { SetupError } from '../../../domain/setup-error.ts';
import { startTimeOf } from '../identity.ts';
import { say } from '../say.ts';

/**
 * How PostgreSQL refuses a folder that another server may still use: by the number of its process, or by the memory its
 * processes share.
 */
const REFUSED = /lock file "postmaster\.pid" already exists|pre-existing shared memory block/;
/**
 * The processes of a killed server end when they notice: mostly within milliseconds, in the middle of a long statement
 * later.
 */
const GONE_WITHIN_MS = 30_000;

/**
 * Launches a server on the folder `data`, again and again while all that keeps it is what a killed one left behind.
 * @throws SetupError of the last launch: at once when a living server keeps the folder.
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
      // PostgreSQL asks only whether something has the number: a corpse that nobody reaps has it for ever.
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
  // Before it has shared memory, a server has no other process.
  const users = lock.memory === null ? Number(isRunning) : usersOf(lock.memory);
  if (users === 0) return 'nobody';
  return isRunning ? 'server' : 'remains';
}

interface Lock {
  readonly pid: number;
  /** Key and id of the System V segment to which each process of the server is attached. */
  readonly memory: { readonly key: number; readonly id: number } | null;
}

/** The first line of `postmaster.pid` is the process, the seventh the memory. */
function readLock(data: string): Lock | null {
  let lines: string[];
  try {
    lines = readFileSync(join(data, 'postmaster.pid'), 'utf8').split('\n');
  } catch {
    return null;
  }
  const [, key, id] = /^ *(\d+) +(\d+)$/.exec(lines[6] ?? '') ?? [];
  // A key is 32 bits with a sign, written as 64 without.
  return {
    pid: Number(lines[0]),
    memory: key === undefined ? null : { key: Number(BigInt.asIntN(32, BigInt(key))), id: Number(id) },
  };
}

/** How many processes are attached to it; null where the system does not tell (it is no Linux). */
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
