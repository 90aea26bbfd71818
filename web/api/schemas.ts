import type { components } from './schema.d.ts';

/** The API's schemas, by their names in its document. */
export type Schemas = components['schemas'];
