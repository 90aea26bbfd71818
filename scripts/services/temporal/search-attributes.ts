import { connectTemporal } from '../../../platform/temporal/connection.ts';
import { SEARCH_ATTRIBUTES } from '../../../workflows/contract/search-attributes.ts';
import { say } from '../say.ts';

/**
 * Adds missing search attributes to a server that somebody else runs. When the server refuses, a line says which to add
 * by hand.
 * @throws SetupError when no server answers.
 */
export async function ensureSearchAttributes(options: Parameters<typeof connectTemporal>[0]): Promise<void> {
  const temporal = await connectTemporal(options);
  const { connection, namespace } = temporal;
  const wanted = Object.values(SEARCH_ATTRIBUTES);
  try {
    await connection.withDeadline(Date.now() + 10_000, async () => {
      const { customAttributes } = await connection.operatorService.listSearchAttributes({ namespace });
      const missing = wanted.filter(({ name }) => !(name in customAttributes));
      if (missing.length === 0) return;
      // The numbers are the protocol's IndexedValueType: KEYWORD 2, BOOL 5.
      await connection.operatorService.addSearchAttributes({
        namespace,
        searchAttributes: Object.fromEntries(missing.map(({ name, type }) => [name, type === 'BOOL' ? 5 : 2])),
      });
      say(`Temporal: search attributes added: ${missing.map(({ name }) => name).join(', ')}`);
    });
  } catch (error) {
    const all = wanted.map(({ name, type }) => `${name}=${type === 'BOOL' ? 'Bool' : 'Keyword'}`).join(', ');
    say(
      `Temporal: its search attributes could not be checked (${error instanceof Error ? error.message : 'unknown'}); turns need ${all} in namespace ${namespace}`,
    );
  } finally {
    await temporal.close();
  }
}
