import { AppError } from '../../domain/errors.ts';
import type { PricedModel } from '../../domain/model.ts';
import type { ApiDeps, Caller } from '../context.ts';

/** The models that a request may use and see: all, or those of its key. The first is the default. */
export function offeredTo({ models }: Pick<ApiDeps, 'models'>, { key }: Pick<Caller, 'key'>): readonly PricedModel[] {
  const chosen = key?.models ?? null;
  return chosen === null ? models : models.filter(({ name }) => chosen.includes(name));
}

/** @throws AppError unknown_model for a turn of a model that the key may not use. */
export function assertMayUse({ key }: Pick<Caller, 'key'>, model: string): void {
  const chosen = key?.models ?? null;
  if (chosen !== null && !chosen.includes(model)) throw new AppError('unknown_model', { field: 'model' });
}
