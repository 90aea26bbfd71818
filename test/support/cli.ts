import { spawn } from 'node:child_process';
import { join } from 'node:path';
import type { TestStack } from './stack.ts';

const root = join(import.meta.dirname, '../..');

export interface CommandResult {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * Runs `turnkeeper` with the stack's services, as a person runs it without a terminal.
 * @param env variables to add or replace; without REDIS_URL the command has no Redis.
 * @param input what is piped into it.
 */
export async function runCommand(
  stack: TestStack,
  args: readonly string[],
  env: Record<string, string> = {},
  input = '',
): Promise<CommandResult> {
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', 'cli/main.ts', ...args], {
    cwd: root,
    stdio: ['pipe', 'pipe', 'pipe'],
    env: {
      ...process.env,
      NODE_OPTIONS: '',
      DATABASE_URL: stack.db.url,
      TEMPORAL_ADDRESS: process.env['TEST_TEMPORAL_ADDRESS'],
      TASK_QUEUE_PREFIX: stack.taskQueuePrefix,
      DATA_DIR: '/nonexistent',
      ...env,
    },
  });
  child.stdin.end(input);
  const output = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const)
    child[name].setEncoding('utf8').on('data', (part: string) => {
      output[name] += part;
    });
  const status = await new Promise<number | null>((resolve) => child.once('close', resolve));
  return { status, ...output };
}
