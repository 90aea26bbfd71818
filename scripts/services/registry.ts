import { mkdirSync, readFileSync, realpathSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { SetupError } from '../../domain/setup-error.ts';
import { identify, isAlive, stopProcess, type Identity } from './identity.ts';
import { say } from './say.ts';

/** A process that a start began, and how it wants to be stopped. */
export interface Started extends Identity {
  readonly name: string;
  readonly dataDir: string;
  readonly url: string;
  readonly port: number | null;
  readonly stopSignal: NodeJS.Signals;
  readonly stopWithinMs: number;
}

/** The addresses of everything that runs; the CLI finds the embedded stack by them. */
export interface Addresses {
  readonly api: string;
  readonly docs: string;
  readonly temporal: { readonly address: string; readonly namespace: string; readonly ui: string | null };
  readonly postgres: { readonly url: string };
  readonly redis: { readonly url: string };
}

export interface Stored {
  readonly owner: Identity & { readonly dataDir: string; readonly stopping: boolean };
  readonly services: readonly Started[];
  /** Null until the app takes requests. */
  readonly addresses: Addresses | null;
}

/** A start whose npm was just killed is about to stop, but has not yet written so. */
const OWNER_MAY_GO_MS = 1_500;
const OWNER_STOPS_WITHIN_MS = 60_000;

/** `DATA_DIR/services.json`: the services that run, and the start that they belong to. */
export class Registry {
  readonly dataDir: string;
  readonly #owner: Identity;
  #services: readonly Started[] = [];
  #addresses: Addresses | null = null;
  #stopping = false;

  private constructor(dataDir: string, owner: Identity) {
    this.dataDir = dataDir;
    this.#owner = owner;
  }

  /**
   * Refuses while another start lives on this directory, and stops what a killed one left behind.
   * @throws SetupError
   */
  static async claim(folder: string): Promise<Registry> {
    const dataDir = makeFolder(folder);
    const registry = new Registry(dataDir, identify(process.pid));
    await lock(dataDir);
    // A copied directory names processes of the original; those are not ours to stop.
    for (const leftover of (readServices(dataDir)?.services ?? [])
      .filter((service) => service.dataDir === dataDir && isAlive(service))
      .reverse()) {
      say(`stopping ${leftover.name} (pid ${leftover.pid}), left behind by a start that was killed`);
      const { stopSignal: signal, stopWithinMs: withinMs } = leftover;
      if (!(await stopProcess(leftover, { signal, withinMs })))
        throw new SetupError(
          `${leftover.name} (pid ${leftover.pid}) of an earlier start cannot be stopped: stop it, then try again.`,
        );
    }
    registry.#write();
    return registry;
  }

  add(service: Started): void {
    this.#services = [...this.#services, service];
    this.#write();
  }

  remove(service: Started): void {
    this.#services = this.#services.filter(({ pid }) => pid !== service.pid);
    this.#write();
  }

  publish(addresses: Addresses): void {
    this.#addresses = addresses;
    this.#write();
  }

  /** From now on another start waits for us instead of refusing. */
  stopping(): void {
    this.#stopping = true;
    this.#addresses = null;
    this.#write();
  }

  /** Lets another start have the directory; called when all is stopped. */
  release(): void {
    rmSync(lockFile(this.dataDir), { force: true });
  }

  #write(): void {
    const stored: Stored = {
      owner: { ...this.#owner, dataDir: this.dataDir, stopping: this.#stopping },
      services: this.#services,
      addresses: this.#addresses,
    };
    writeWhole(join(this.dataDir, 'services.json'), stored);
  }
}

/** @returns what the last start wrote down, null when there is nothing to be read. */
export function readServices(dataDir: string): Stored | null {
  return readJson<Stored>(join(dataDir, 'services.json'));
}

/**
 * Refuses a start while another one lives. Two starts at the same moment meet at the lock file, which only one can
 * create.
 */
async function lock(dataDir: string): Promise<void> {
  const file = lockFile(dataDir);
  const mine = { ...identify(process.pid), dataDir };
  const began = Date.now();
  let told = false;
  for (;;) {
    if (writeNew(file, mine)) return;
    const holder = readJson<typeof mine>(file);
    if (holder === null || holder.dataDir !== dataDir || !isAlive(holder)) {
      await takeAway(file, holder);
      continue;
    }
    const owner = readServices(dataDir)?.owner;
    const isStopping = owner?.pid === holder.pid && owner.stopping;
    if (Date.now() - began > (isStopping ? OWNER_STOPS_WITHIN_MS : OWNER_MAY_GO_MS)) {
      throw new SetupError(
        `Turnkeeper already runs on ${dataDir} (pid ${holder.pid}). Stop it first, or set DATA_DIR to another directory.`,
      );
    }
    if (isStopping && !told) say(`waiting for an earlier start (pid ${holder.pid}) that is stopping`);
    told ||= isStopping;
    await sleep(50);
  }
}

/** Removes a dead holder's lock, unless another start has taken its place meanwhile. */
async function takeAway(file: string, holder: Identity | null): Promise<void> {
  await sleep(20 + Math.random() * 50);
  if (readJson<Identity>(file)?.startTime === holder?.startTime) rmSync(file, { force: true });
}

function lockFile(dataDir: string): string {
  return join(dataDir, 'owner.json');
}

function makeFolder(folder: string): string {
  try {
    mkdirSync(folder, { recursive: true });
    return realpathSync(folder);
  } catch (cause) {
    throw new SetupError(`DATA_DIR: ${folder} cannot be made (${(cause as NodeJS.ErrnoException).message}).`, {
      cause,
    });
  }
}

function writeNew(file: string, value: unknown): boolean {
  try {
    writeFileSync(file, JSON.stringify(value), { mode: 0o600, flag: 'wx' });
    return true;
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'EEXIST') return false;
    throw new SetupError(`DATA_DIR: ${file} cannot be written (${message}).`, { cause: error });
  }
}

/**
 * The file appears complete or not at all, because a start may be killed at any moment. Only its owner may read it,
 * because URLs hold the database's password.
 */
function writeWhole(file: string, value: unknown): void {
  writeFileSync(`${file}.new`, `${JSON.stringify(value, null, 2)}\n`, { mode: 0o600 });
  renameSync(`${file}.new`, file);
}

function readJson<T>(file: string): T | null {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as T;
  } catch {
    return null;
  }
}
