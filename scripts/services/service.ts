import { spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { startTimeOf, stopProcess, type Registry, type Started } from './registry.ts';
import { SetupError } from './say.ts';

/** Where a start keeps things and what it writes down. */
export interface Ground {
  readonly dataDir: string;
  readonly registry: Registry;
  /** Throw-away: no durability, nothing kept. */
  readonly throwAway: boolean;
}

/** Something the program needs, running. */
export interface Service {
  readonly name: string;
  readonly url: string;
  /** For the banner and the log. */
  readonly said: string;
  /** Resolves when a process that we started ends by itself; never for a service of somebody else's. */
  readonly died: Promise<void>;
  stop(): Promise<void>;
}

export function external(name: string, url: string, said: string): Service {
  return { name, url, said, died: new Promise(() => {}), stop: async () => {} };
}

export interface Launch {
  readonly name: string;
  readonly file: string;
  readonly args: readonly string[];
  readonly url: string;
  readonly said: string;
  readonly env?: Record<string, string>;
  readonly cwd?: string;
  /** User to run as. */
  readonly as?: { readonly uid: number; readonly gid: number } | undefined;
  readonly stopSignal?: NodeJS.Signals;
  /** Whether it answers. */
  readonly isReady: () => Promise<boolean>;
  readonly withinMs: number;
}

/** In a process group of its own, so that a terminal's Ctrl-C does not stop the database before the app; output goes to `logs/`. */
export async function launch(ground: Ground, what: Launch): Promise<Service> {
  const logs = join(ground.dataDir, 'logs');
  mkdirSync(logs, { recursive: true });
  const logFile = join(logs, `${what.name}.log`);
  const log = openSync(logFile, 'a');
  const child = spawn(what.file, [...what.args], {
    detached: true, stdio: ['ignore', log, log], cwd: what.cwd ?? ground.dataDir, env: { ...process.env, ...what.env }, ...what.as,
  });
  closeSync(log);
  let ended: string | null = null;
  const died = new Promise<void>((resolve) => {
    child.once('error', (error) => { ended = error.message; resolve(); });
    child.once('exit', (code, signal) => { ended = signal ?? `code ${code ?? 0}`; resolve(); });
  });
  const { pid } = child;
  if (pid === undefined) {
    await died;
    throw new SetupError(`${what.name} could not be started: ${ended ?? 'unknown'}`);
  }
  const started: Started = { name: what.name, pid, startTime: startTimeOf(pid) ?? '', dataDir: ground.dataDir, url: what.url };
  ground.registry.add(started);
  const stop = async () => {
    await stopProcess(started, what.stopSignal);
    ground.registry.remove(started);
  };
  const deadline = Date.now() + what.withinMs;
  while (!(await what.isReady().catch(() => false))) {
    if (ended === null && Date.now() < deadline) {
      await sleep(50);
      continue;
    }
    await stop();
    const why = ended === null ? `did not answer within ${what.withinMs / 1_000} s` : `ended (${String(ended)})`;
    throw new SetupError(`${what.name} ${why}; its last words in ${logFile}:\n${lastLines(logFile)}`);
  }
  return { name: what.name, url: what.url, said: what.said, died, stop };
}

function lastLines(file: string): string {
  return readFileSync(file, 'utf8').trimEnd().split('\n').slice(-5).join('\n');
}

/** The full path of the first of `names` on PATH. */
export function findOnPath(...names: string[]): string | null {
  for (const folder of (process.env['PATH'] ?? '').split(delimiter)) {
    for (const name of names) {
      const file = join(folder, name);
      if (isExecutable(file)) return file;
    }
  }
  return null;
}

export function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return statSync(file).isFile();
  } catch {
    return false;
  }
}

/** A free port of 127.0.0.1. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === 'string') throw new SetupError('no free port could be found');
  return address.port;
}

/** Runs to its end. @returns whether it succeeded, and what it wrote. */
export async function runToEnd(
  file: string, args: readonly string[], options: { env?: Record<string, string>; as?: { uid: number; gid: number } | undefined; cwd?: string; withinMs: number },
): Promise<{ ok: boolean; output: string }> {
  const child = spawn(file, [...args], {
    stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, ...options.env }, ...options.as, ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    timeout: options.withinMs, killSignal: 'SIGKILL',
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (data: Buffer) => { output = (output + data.toString()).slice(-10_000); });
  const ok = await new Promise<boolean>((resolve) => {
    child.once('error', (error) => { output += error.message; resolve(false); });
    child.once('close', (code) => resolve(code === 0));
  });
  return { ok, output };
}

/** Whether a docker engine answers (the client alone is no help). */
export async function hasDocker(): Promise<boolean> {
  const docker = findOnPath('docker');
  return docker !== null && (await runToEnd(docker, ['info', '--format', '{{.ServerVersion}}'], { withinMs: 5_000 })).ok;
}

/** @returns the port docker publishes; the container goes with its client process. */
export function dockerRun(ports: Record<number, number>, image: string, command: readonly string[]): string[] {
  return ['run', '--rm', '--init', ...Object.entries(ports).flatMap(([outside, inside]) => ['-p', `127.0.0.1:${outside}:${inside}`]), image, ...command];
}
