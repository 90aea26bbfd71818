import { defineEntity, p, type InferEntity } from '@mikro-orm/core';

export const ModelRate = defineEntity({
  name: 'ModelRate',
  tableName: 'model_rates',
  properties: {
    id: p.integer().primary().generated('identity'),
    model: p.text(),
    version: p.integer(),
    input: p.integer(),
    cachedInput: p.integer(),
    output: p.integer(),
    createdAt: p.datetime().defaultRaw('now()'),
  },
  checks: [
    { name: 'model_rates_versions_begin_at_1', expression: 'version >= 1' },
    { name: 'model_rates_input_is_1_to_a_million', expression: 'input >= 1 and input <= 1000000' },
    { name: 'model_rates_cached_input_is_1_to_a_million', expression: 'cached_input >= 1 and cached_input <= 1000000' },
    { name: 'model_rates_output_is_1_to_a_million', expression: 'output >= 1 and output <= 1000000' },
  ],
  uniques: [
    { name: 'model_rates_one_per_version', properties: ['model', 'version'] },
    { name: 'model_rates_id_and_figures', properties: ['id', 'input', 'cachedInput', 'output'] },
  ],
});
export type ModelRate = InferEntity<typeof ModelRate>;

/** A process and the catalogue of rates that it was started with. */
export const RatePublisher = defineEntity({
  name: 'RatePublisher',
  tableName: 'rate_publishers',
  properties: {
    /** Of the process. */
    id: p.uuid().primary(),
    /** A hash of the catalogue's rates. */
    catalogue: p.text(),
    /** The order in which catalogues were deployed. */
    deployed: p.integer(),
    seenAt: p.datetime(),
  },
});
export type RatePublisher = InferEntity<typeof RatePublisher>;

/** A model of the catalogue that an admin has switched off. */
export const ModelOff = defineEntity({
  name: 'ModelOff',
  tableName: 'models_off',
  properties: { model: p.text().primary(), since: p.datetime().defaultRaw('now()') },
});
export type ModelOff = InferEntity<typeof ModelOff>;
