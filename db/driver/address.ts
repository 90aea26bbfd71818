import { Client } from 'pg';
import { SetupError } from '../../domain/setup-error.ts';

/**
 * Reads an address as the driver does, with the certificates that it names: it would else do so at the first
 * connection, where a missing file looks like a server that is away.
 * @throws SetupError.
 */
export function assertReadable(url: string): void {
  try {
    new Client({ connectionString: url });
  } catch (cause) {
    // The driver's words may hold the path of a file, and never the address with its password.
    throw new SetupError(`DATABASE_URL: ${cause instanceof Error ? cause.message : 'cannot be read'}`, { cause });
  }
}
