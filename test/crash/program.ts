import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

/** The real program in one role, as a process of its own. */
export interface Program {
  readonly pid: number;
  /** Its address; empty for a worker. */
  readonly url: string;
  /** Its whole output so far. */
  readonly output: () => string;
  readonly exited: Promise<{ readonly code: number | null; readonly signal: NodeJS.Signals | null }>;
  signal(name: NodeJS.Signals): void;
  /** Kills it with SIGKILL and waits until it is gone. */
  kill(): Promise<void>;
}

const root = fileURLToPath(new URL('../..', import.meta.url));

/**
 * @param isReady tells by its pid whether a worker is ready; any other role when it logs its address.
 * @throws with its output when it ends before.
 */
export async function startProgram(
  role: 'api' | 'worker' | 'all',
  variables: Readonly<Record<string, string>>,
  isReady: (pid: number) => Promise<boolean>,
): Promise<Program> {
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', 'main.ts'], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      PATH: process.env['PATH'],
      NODE_COMPILE_CACHE: process.env['NODE_COMPILE_CACHE'],
      ...variables,
      TURNKEEPER_ROLE: role,
    },
  });
  await once(child, 'spawn');
  const pid = child.pid ?? 0;
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
  const exited = once(child, 'exit').then(([code, signal]) => ({
    code: code as number | null,
    signal: signal as NodeJS.Signals | null,
  }));
  let isOver = false;
  void exited.then(() => {
    isOver = true;
  });
  const url = () => /"url":"([^"]+)"/.exec(output)?.[1] ?? '';
  while (role === 'worker' ? !(await isReady(pid)) : url() === '') {
    if (isOver) throw new Error(`the ${role} ended before it was ready:\n${output}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return {
    pid,
    url: url(),
    exited,
    output: () => output,
    signal: (name) => {
      child.kill(name);
    },
    async kill() {
      child.kill('SIGKILL');
      await exited;
    },
  };
}
