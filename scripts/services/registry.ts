import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { say, SetupError } from './say.ts';

/** A process that a start began, known by more than its number: pids are used again. */
export interface Started {
  readonly name: string;
  readonly pid: number;
  /** When the system says it began; see `startTimeOf`. */
  readonly startTime: string;
  readonly dataDir: string;
  /** Where it is reached, for `turnkeeper status` and the CLI. */
  readonly url: string;
}

interface Stored {
  readonly owner: { readonly pid: number; readonly startTime: string };
  readonly services: readonly Started[];
}

/** `DATA_DIR/services.json`: what runs on behalf of which start. */
export class Registry {
  readonly #file: string;
  #services: Started[] = [];

  private constructor(file: string) {
    this.#file = file;
  }

  /** Refuses while another start lives on this directory; stops what a killed one left behind. @throws SetupError. */
  static async claim(dataDir: string): Promise<Registry> {
    mkdirSync(dataDir, { recursive: true, mode: 0o755 });
    const registry = new Registry(join(dataDir, 'services.json'));
    const stored = readServices(dataDir);
    if (stored !== null && stored.owner.pid !== process.pid && isSame(stored.owner)) {
      throw new SetupError(`Turnkeeper already runs on ${dataDir} (pid ${stored.owner.pid}). Stop it first, or set DATA_DIR to another directory.`);
    }
    for (const leftover of [...(stored?.services ?? [])].reverse()) {
      if (leftover.dataDir !== dataDir || !isSame(leftover)) continue;
      say(`stopping ${leftover.name} (pid ${leftover.pid}), left behind by a start that was killed`);
      await stopProcess(leftover);
    }
    registry.#write();
    return registry;
  }

  add(service: Started): void {
    this.#services.push(service);
    this.#write();
  }

  remove(service: Started): void {
    this.#services = this.#services.filter(({ pid }) => pid !== service.pid);
    this.#write();
  }

  #write(): void {
    const stored: Stored = { owner: { pid: process.pid, startTime: startTimeOf(process.pid) ?? '' }, services: this.#services };
    // Whole or not at all: a start may be killed at any moment. Its URLs hold the database's password.
    writeFileSync(`${this.#file}.new`, JSON.stringify(stored, null, 2), { mode: 0o600 });
    renameSync(`${this.#file}.new`, this.#file);
  }
}

/** @returns what the last start wrote down, null when there is none. */
export function readServices(dataDir: string): Stored | null {
  try {
    return JSON.parse(readFileSync(join(dataDir, 'services.json'), 'utf8')) as Stored;
  } catch {
    return null;
  }
}

/** Whether the process of then is the process of now. */
export function isSame({ pid, startTime }: { pid: number; startTime: string }): boolean {
  return startTime !== '' && startTimeOf(pid) === startTime;
}

/** When a process began, as the system tells it; null when there is none. */
export function startTimeOf(pid: number): string | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The name in parentheses may hold anything; the state comes first after it, the start time is the 20th field from there.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return fields[0] === 'Z' ? null : fields[19] ?? null;
  } catch {
    return process.platform === 'linux' ? null : askPs(pid);
  }
}

function askPs(pid: number): string | null {
  try {
    return execFileSync('ps', ['-o', 'lstart=', '-p', String(pid)], { encoding: 'utf8' }).trim() || null;
  } catch {
    return null;
  }
}

/** SIGTERM to its group, SIGKILL after 15 s. */
export async function stopProcess(started: Pick<Started, 'pid' | 'startTime'>, signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
  const deadline = Date.now() + 15_000;
  kill(started.pid, signal);
  while (isSame(started)) {
    if (Date.now() > deadline) kill(started.pid, 'SIGKILL');
    await sleep(25);
  }
}

function kill(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-pid, signal);
  } catch {
    // Gone between the look and the signal.
  }
}
