import { AppError } from '../../domain/errors.ts';
import type { PricedModel } from '../../domain/model.ts';
import type { ApiDeps, Caller } from '../context.ts';

type Catalogue = Pick<ApiDeps, 'models' | 'switches'>;

/** The models that a request may use and see: all that are on, or those of its key. The first is the default. */
export async function offeredTo({ models, switches }: Catalogue, caller: Pick<Caller, 'key'>): Promise<PricedModel[]> {
  const off = await switches.off();
  return models.filter(({ name }) => mayUse(caller, name) && !off.has(name));
}

/**
 * The model that a send names, or the default. It may be off by now: the send may repeat one of before, and only what
 * has to run is refused (`assertOn`).
 * @throws AppError unknown_model.
 */
export async function modelOf(catalogue: Catalogue, caller: Pick<Caller, 'key'>, name?: string): Promise<PricedModel> {
  const model =
    name === undefined
      ? (await offeredTo(catalogue, caller))[0]
      : catalogue.models.find((known) => known.name === name && mayUse(caller, name));
  if (model === undefined) throw unknownModel();
  return model;
}

/** @throws AppError unknown_model for a turn of a model that is off. */
export async function assertOn({ switches }: Pick<ApiDeps, 'switches'>, model: string): Promise<void> {
  if ((await switches.off()).has(model)) throw unknownModel();
}

/** @throws AppError unknown_model for a turn of a model that is off, or that the key may not use. */
export async function assertMayUse(
  deps: Pick<ApiDeps, 'switches'>,
  caller: Pick<Caller, 'key'>,
  model: string,
): Promise<void> {
  if (!mayUse(caller, model)) throw unknownModel();
  await assertOn(deps, model);
}

function mayUse({ key }: Pick<Caller, 'key'>, model: string): boolean {
  const chosen = key?.models ?? null;
  return chosen === null || chosen.includes(model);
}

function unknownModel(): AppError {
  return new AppError('unknown_model', { field: 'model' });
}
