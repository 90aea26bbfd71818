import { spawn, type StdioOptions } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { SetupError } from '../../domain/setup-error.ts';
import { plainEnvironment } from './environment.ts';
import { identify, stopProcess } from './identity.ts';
import type { Registry, Started } from './registry.ts';
import { say, withProgress } from './say.ts';

/** Where services run and what they may use: the same for all services of one start. */
export interface ServiceContext {
  readonly dataDir: string;
  readonly registry: Registry;
  /** Whether nothing is kept: even what services store outside the folder is deleted when the program ends. */
  readonly throwAway: boolean;
  /** Whether PostgreSQL syncs commits to the disk; only the tests' does not. */
  readonly durable: boolean;
  /** Aborted when the person stops the start or another service failed: it ends every wait. */
  readonly stopping: AbortSignal;
}

/** A running service that the program needs. */
export interface Service {
  readonly name: string;
  readonly url: string;
  /** What people read of it, in the banner and the log. */
  readonly label: string;
  /** Resolves when a process of ours ends by itself; never for a service that somebody else runs. */
  readonly died: Promise<void>;
  /** Null for one that somebody else runs. */
  readonly pid: number | null;
  /**
   * Starts it once more, by the same command at the same address, when it has died.
   * @throws SetupError when it does not answer.
   */
  again(): Promise<Service>;
  stop(): Promise<void>;
}

export function external(name: string, url: string, label: string): Service {
  return {
    name,
    url,
    label,
    died: new Promise(() => {}),
    pid: null,
    again: () => Promise.reject(new SetupError(`${name} is run by somebody else`)),
    stop: async () => {},
  };
}

export interface Launch {
  readonly name: string;
  readonly file: string;
  readonly args: readonly string[];
  readonly url: string;
  readonly port: number | null;
  readonly label: string;
  /** Where its output goes: a file of its own in `logs/` (the default), or our own output. */
  readonly output?: 'file' | 'ours';
  /** Beside the plain environment: our secrets reach only who is given them here. */
  readonly env?: Record<string, string>;
  readonly cwd?: string;
  /** User to run as. */
  readonly as?: { readonly uid: number; readonly gid: number } | undefined;
  readonly stopSignal?: NodeJS.Signals;
  readonly stopWithinMs?: number;
  /** Whether it answers. */
  readonly isReady: () => Promise<boolean>;
  readonly withinMs: number;
}

/**
 * Starts a service and waits until it answers. It has a process group of its own: a terminal's Ctrl-C reaches only us,
 * and we stop the services in our order.
 * @throws SetupError with the last lines of its output.
 */
export async function launch(context: ServiceContext, what: Launch): Promise<Service> {
  context.stopping.throwIfAborted();
  const { stopSignal = 'SIGTERM', stopWithinMs = 15_000 } = what;
  const running = spawnLogged(context, what);
  const started: Started = {
    ...running.identity,
    name: what.name,
    dataDir: context.dataDir,
    url: what.url,
    port: what.port,
    stopSignal,
    stopWithinMs,
  };
  context.registry.add(started);
  const stop = async () => {
    if (!(await stopProcess(started, { signal: stopSignal, withinMs: stopWithinMs })))
      say(`${what.name} (pid ${started.pid}) cannot be stopped`);
    else context.registry.remove(started);
  };
  try {
    await withProgress(`waiting for ${what.name}`, waitUntilReady(context, what, running));
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    name: what.name,
    url: what.url,
    label: what.label,
    died: running.died,
    pid: started.pid,
    again() {
      context.registry.remove(started);
      return launch(context, what);
    },
    stop,
  };
}

interface Spawned {
  readonly identity: { readonly pid: number; readonly startTime: string };
  readonly died: Promise<void>;
  /** How it ended; null while it lives. */
  ended(): string | null;
  lastWords(): string;
}

function spawnLogged(context: ServiceContext, what: Launch): Spawned {
  const logs = join(context.dataDir, 'logs');
  mkdirSync(logs, { recursive: true, mode: 0o700 });
  const file = join(logs, `${what.name}.log`);
  const log = what.output === 'ours' ? null : openSync(file, 'a', 0o600);
  const stdio: StdioOptions = log === null ? ['ignore', 'inherit', 'inherit'] : ['ignore', log, log];
  const child = spawn(what.file, [...what.args], {
    detached: true,
    stdio,
    cwd: what.cwd ?? context.dataDir,
    env: { ...plainEnvironment(), ...what.env },
    ...what.as,
  });
  if (log !== null) closeSync(log);
  let ended: string | null = null;
  const died = new Promise<void>((resolve) => {
    child.once('error', (error) => {
      ended = error.message;
      resolve();
    });
    child.once('exit', (code, signal) => {
      ended = signal ?? `exit code ${code ?? 0}`;
      resolve();
    });
  });
  return {
    // A program that could not be run has no pid. No process has this identity, and `ended` says why.
    identity: child.pid === undefined ? { pid: 0, startTime: '' } : identify(child.pid),
    died,
    ended: () => ended,
    lastWords: () =>
      log === null
        ? 'see its lines above'
        : `its last words, from ${file}:\n${readFileSync(file, 'utf8').trimEnd().split('\n').slice(-5).join('\n')}`,
  };
}

async function waitUntilReady(context: ServiceContext, what: Launch, running: Spawned): Promise<void> {
  const deadline = Date.now() + what.withinMs;
  for (;;) {
    const isReady = await what.isReady().catch(() => false);
    context.stopping.throwIfAborted();
    // Another program may answer on the port, so the service is ready only while our process lives.
    if (running.ended() !== null)
      throw new SetupError(`${what.name} ended at once (${String(running.ended())}); ${running.lastWords()}`);
    if (isReady) return;
    if (Date.now() > deadline)
      throw new SetupError(`${what.name} did not answer within ${what.withinMs / 1_000} s; ${running.lastWords()}`);
    await sleep(25);
  }
}
