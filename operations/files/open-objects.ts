import { hasImagesElsewhere } from '../../db/files/loose-objects.ts';
import type { Database } from '../../db/database.ts';
import { SetupError } from '../../domain/setup-error.ts';
import type { ObjectsSettings } from '../../platform/config/objects-settings.ts';
import { createObjectStore, ObjectStoreAway, type ObjectStore } from '../../platform/objects/object-store.ts';
import type { Metrics } from '../../platform/telemetry/metrics.ts';
import type { Warnings } from '../deps.ts';

const LOOK_WITHIN_MS = 5_000;

/**
 * The store of images; null: PostgreSQL has them. A store that is away keeps no process from starting.
 * @throws SetupError for settings that the store refuses, and for none where it has images.
 */
export async function openObjects(
  { database, log, metrics }: { database: Database; log: Warnings; metrics: Pick<Metrics, 'objectStoreAsked'> },
  settings: ObjectsSettings | null,
): Promise<ObjectStore | null> {
  if (settings === null) {
    if (await hasImagesElsewhere(database))
      throw new SetupError('S3_ENDPOINT: must be set, because images that people attached are kept in an S3 store');
    return null;
  }
  const objects = createObjectStore(settings, (method, failure) => {
    const outcome = failure === null ? 'done' : failure.isRefused ? 'refused' : 'away';
    metrics.objectStoreAsked({ method, outcome });
    if (failure !== null) log.warn({ reason: failure.message }, 'the store of images did not do what was asked');
  });
  try {
    await objects.look({ withinMs: LOOK_WITHIN_MS });
  } catch (error) {
    if (!(error instanceof ObjectStoreAway)) throw error;
    if (error.hasWrongSettings)
      throw new SetupError(`S3_ENDPOINT: the store answers ${error.message}`, { cause: error });
  }
  return objects;
}
