import { expect, test } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

const root = join(import.meta.dirname, '../..');

test('--help says what there is, of the whole and of a command', () => {
  expect(turnkeeper('--help').stdout).toMatch(/status[\s\S]*migrate[\s\S]*user[\s\S]*token/);
  expect(turnkeeper('user', 'grant', '--help').stdout).toMatch(
    /--user <id>[\s\S]*--tokens <number>[\s\S]*--reason <text>/,
  );
});

test('without a database a command fails with one sentence that says what to do', () => {
  const { status, stderr } = turnkeeper('user', 'create');
  expect(stderr).toBe('turnkeeper: No database: set DATABASE_URL, or run `npm start` and keep it running.\n');
  expect(status).toBe(1);
});

test('a number that is none is refused by name', () => {
  const { status, stderr } = turnkeeper('token', 'create', '1x');
  expect(stderr).toContain('userId');
  expect(status).toBe(1);
});

function turnkeeper(...args: string[]) {
  const env = {
    ...process.env,
    NODE_OPTIONS: '',
    DATABASE_URL: '',
    REDIS_URL: '',
    TEMPORAL_ADDRESS: '',
    DATA_DIR: '/nonexistent',
  };
  return spawnSync(process.execPath, ['--disable-warning=ExperimentalWarning', 'cli/main.ts', ...args], {
    cwd: root,
    env,
    encoding: 'utf8',
    timeout: 20_000,
  });
}
