import { randomUUID } from 'node:crypto';
import type { Model, PricedModel } from '../../domain/model.ts';
import type { Database } from '../database.ts';
import { keepRatesPublished, leaveRates } from './rates.ts';

/** A process that is not heard of for three times as long counts as gone. */
const EVERY_MS = 60_000;

/** The models of this process with the rates that apply. They change when another deployment's come to apply. */
export interface KeptRates {
  readonly models: readonly PricedModel[];
  /** Looks once more. */
  refresh(): Promise<void>;
  close(): Promise<void>;
}

/**
 * Publishes the rates of this process's catalogue and goes on to follow the newest deployment's, so that all processes
 * charge alike a minute after a deployment began.
 */
export async function keepRates(
  { database, log }: { readonly database: Database; readonly log: { warn(fields: object, message: string): void } },
  catalogue: readonly Model[],
): Promise<KeptRates> {
  const publisher = { id: randomUUID(), models: catalogue };
  const models: PricedModel[] = [];
  let wasOutdated = false;
  async function look(): Promise<void> {
    const { models: priced, isOutdated } = await keepRatesPublished(database, publisher);
    models.splice(0, models.length, ...priced);
    if (isOutdated && !wasOutdated)
      log.warn({ models: priced.map(({ name, rate }) => ({ name, rate })) }, 'the rates of a newer deployment apply');
    wasOutdated = isOutdated;
  }
  let looking = look();
  await looking;
  const refresh = () => (looking = looking.then(look, look));
  const timer = setInterval(() => {
    refresh().catch((error: unknown) => log.warn({ reason: String(error) }, 'rates were not looked at'));
  }, EVERY_MS);
  timer.unref();
  return {
    models,
    refresh,
    async close() {
      clearInterval(timer);
      // A process that cannot say so is taken for gone 3 minutes later.
      await looking
        .catch(() => {})
        .then(() => leaveRates(database, publisher))
        .catch((error: unknown) => log.warn({ reason: String(error) }, 'rates were not left'));
    },
  };
}
