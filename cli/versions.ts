import type { Database } from '../db/database.ts';
import type { Config } from '../platform/config/config.ts';

/** Each version is as the server reports it; null when it does not answer within a few seconds. */

export async function readPostgresVersion(database: Database): Promise<string | null> {
  const rows: unknown = await database.orm.em.getConnection().execute('show server_version');
  const row: unknown = Array.isArray(rows) ? rows[0] : null;
  return typeof row === 'object' && row !== null && 'server_version' in row ? String(row.server_version) : null;
}

export async function readRedisVersion(url: string): Promise<string | null> {
  const { createClient } = await import('redis');
  const client = createClient({ url, socket: { reconnectStrategy: false, connectTimeout: 2_000 } });
  client.on('error', () => {});
  try {
    await client.connect();
    return /^(?:redis|valkey)_version:(.*)$/m.exec(await client.info('server'))?.[1]?.trim() ?? null;
  } catch {
    return null;
  } finally {
    client.destroy();
  }
}

export async function readTemporalVersion(options: Config['temporal']): Promise<string | null> {
  try {
    const { connectTemporal } = await import('../platform/temporal/connection.ts');
    const temporal = await connectTemporal(options);
    const { serverVersion } = await temporal.connection.workflowService.getSystemInfo({});
    await temporal.close();
    return serverVersion;
  } catch {
    return null;
  }
}
