import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from 'pg';
import { freePort } from '../../scripts/services/port.ts';
import { required } from './stack.ts';
import { until } from './until.ts';

/** A pooler of the test's own before the tests' PostgreSQL. */
export interface PgBouncer {
  /** `url` with the pooler's host and port. */
  before(url: string): string;
  close(): Promise<void>;
}

/** @param mode what it shares the server's connections by. */
export async function openPgBouncer(mode: 'session' | 'transaction'): Promise<PgBouncer> {
  const server = new URL(required('TEST_DATABASE_URL'));
  const port = await freePort();
  const folder = mkdtempSync(join(tmpdir(), 'turnkeeper-pgbouncer-'));
  const settings = join(folder, 'pgbouncer.ini');
  writeFileSync(
    settings,
    `[databases]
* = host=${server.hostname} port=${server.port} user=${server.username} password=${decodeURIComponent(server.password)}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = ${port}
unix_socket_dir =
auth_type = any
pool_mode = ${mode}
default_pool_size = 4
max_client_conn = 100
`,
  );
  // It refuses to run as root, who lends it PostgreSQL's user.
  const as = process.getuid?.() === 0 ? ['--user', 'postgres'] : [];
  chmodSync(folder, 0o755);
  const child = spawn(required('TEST_PGBOUNCER'), ['--quiet', ...as, settings], { stdio: 'ignore' });
  const exited = once(child, 'exit');
  const before = (url: string) => {
    const pooled = new URL(url);
    pooled.host = `127.0.0.1:${port}`;
    return pooled.href;
  };
  await until(() => answers(before(server.href)));
  return {
    before,
    async close() {
      child.kill('SIGKILL');
      await exited;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function answers(url: string): Promise<boolean> {
  const client = new Client({ connectionString: url });
  client.on('error', () => {});
  try {
    await client.connect();
    await client.end();
    return true;
  } catch {
    return false;
  }
}
