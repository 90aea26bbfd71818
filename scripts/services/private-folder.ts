import { chmodSync, existsSync, readdirSync, statSync, type Dirent } from 'node:fs';
import { join } from 'node:path';

/** PostgreSQL's folder: where root starts, it belongs to the server's user, and it is closed by itself. */
const SERVERS_OWN = 'postgresql';

/**
 * Closes DATA_DIR to the other users of this machine, and all that this process and its services write from now on.
 * What an earlier version left open in it is closed, too.
 */
export function closeToOthers(dataDir: string): void {
  process.umask(0o077);
  chmodSync(dataDir, holdsClusterOfAnother(dataDir) ? 0o711 : 0o700);
  for (const folder of [dataDir, join(dataDir, 'logs')])
    for (const entry of readFolder(folder))
      if (entry.name !== SERVERS_OWN && (entry.isDirectory() || entry.isFile()))
        chmodSync(join(folder, entry.name), entry.isDirectory() ? 0o700 : 0o600);
}

/**
 * Where root started an earlier version, the cluster inside belongs to the server's user, who passes through to it. All
 * else in the folder is closed, so that whoever else passes finds nothing.
 */
function holdsClusterOfAnother(dataDir: string): boolean {
  const cluster = statSync(join(dataDir, SERVERS_OWN, 'data'), { throwIfNoEntry: false });
  return cluster !== undefined && cluster.uid !== process.getuid?.();
}

function readFolder(folder: string): Dirent[] {
  return existsSync(folder) ? readdirSync(folder, { withFileTypes: true }) : [];
}
