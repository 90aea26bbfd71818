import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

/** A process, identified by more than its number, because numbers are used again. */
export interface Identity {
  readonly pid: number;
  /** When the system says it began; see `startTimeOf`. */
  readonly startTime: string;
}

/** @returns an identity that nothing has when the process is already gone. */
export function identify(pid: number): Identity {
  return { pid, startTime: startTimeOf(pid) ?? '' };
}

/** Whether this very process still runs. */
export function isAlive({ pid, startTime }: Identity): boolean {
  return startTime !== '' && startTimeOf(pid) === startTime;
}

/** When a process began, as the system tells it; null when there is none, or only a zombie. */
export function startTimeOf(pid: number, platform = process.platform): string | null {
  return platform === 'linux' ? fromProc(pid) : fromPs(pid);
}

function fromProc(pid: number): string | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The name in parentheses may hold anything. The state follows it, and the start time is the 20th field from there.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    // Ticks count from the boot, so the boot's id is part of it: after a reboot, the same pid may begin at the same
    // tick.
    return fields[0] === 'Z' || fields[19] === undefined
      ? null
      : `${fields[19]}@${readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()}`;
  } catch {
    return null;
  }
}

function fromPs(pid: number): string | null {
  try {
    const [, state, startTime] =
      /^(\S+) +(.+)$/.exec(
        execFileSync('ps', ['-o', 'stat=,lstart=', '-p', String(pid)], {
          encoding: 'utf8',
          stdio: ['ignore', 'pipe', 'ignore'],
        }).trim(),
      ) ?? [];
    return state?.startsWith('Z') === true ? null : (startTime ?? null);
  } catch {
    return null;
  }
}

const KILLED_WITHIN_MS = 5_000;

/**
 * Signals the process's group, and kills the group when the process still lives after `withinMs`.
 * @returns whether it is gone.
 */
export async function stopProcess(
  target: Identity,
  { signal, withinMs }: { signal: NodeJS.Signals; withinMs: number },
): Promise<boolean> {
  return (await endsBy(target, signal, withinMs)) || (await endsBy(target, 'SIGKILL', KILLED_WITHIN_MS));
}

async function endsBy(target: Identity, signal: NodeJS.Signals, withinMs: number): Promise<boolean> {
  if (!isAlive(target)) return true;
  signalGroup(target.pid, signal);
  const deadline = Date.now() + withinMs;
  while (isAlive(target)) {
    if (Date.now() > deadline) return false;
    await sleep(20);
  }
  return true;
}

function signalGroup(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-pid, signal);
  } catch {
    // The process ended between the look and the signal.
  }
}
