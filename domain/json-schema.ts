/** What of a JSON Schema cannot be one. `path` leads to it from the schema. */
export interface SchemaFault {
  readonly path: readonly (string | number)[];
  readonly reason: string;
}

const TYPES = new Set(['string', 'number', 'integer', 'boolean', 'object', 'array', 'null']);
/** Keywords whose value is a schema, an array of schemas, or an object of schemas. */
const ONE = ['not', 'if', 'then', 'else', 'contains', 'propertyNames', 'additionalProperties', 'additionalItems'];
const SEVERAL = ['anyOf', 'oneOf', 'allOf', 'prefixItems'];
const NAMED = ['properties', 'patternProperties', '$defs', 'definitions', 'dependentSchemas'];

/**
 * Looks at the outlines of a JSON Schema, as all its drafts agree on them: a provider would refuse the rest in a
 * sentence of its own. Keywords that nobody knows are left alone.
 * @returns null for what may be one.
 */
export function faultOfSchema(schema: unknown): SchemaFault | null {
  if (typeof schema === 'boolean') return null;
  if (!isObject(schema)) return { path: [], reason: 'must be a JSON Schema (an object)' };
  return faultOfWords(schema) ?? faultBelow(schema);
}

function faultOfWords(schema: Readonly<Record<string, unknown>>): SchemaFault | null {
  const { type, required, enum: values, $ref } = schema;
  const types = Array.isArray(type) ? type : type === undefined ? [] : [type];
  if (
    !types.every((name) => typeof name === 'string' && TYPES.has(name)) ||
    (Array.isArray(type) && types.length === 0)
  )
    return { path: ['type'], reason: `must be of ${[...TYPES].join(', ')}` };
  if (required !== undefined && !(Array.isArray(required) && required.every((name) => typeof name === 'string')))
    return { path: ['required'], reason: 'must be an array of names' };
  if (values !== undefined && !Array.isArray(values)) return { path: ['enum'], reason: 'must be an array' };
  if ($ref !== undefined && typeof $ref !== 'string') return { path: ['$ref'], reason: 'must be a string' };
  return null;
}

function faultBelow(schema: Readonly<Record<string, unknown>>): SchemaFault | null {
  for (const [path, below] of schemasIn(schema)) {
    const fault = faultOfSchema(below);
    if (fault !== null) return { ...fault, path: [...path, ...fault.path] };
  }
  for (const name of NAMED)
    if (schema[name] !== undefined && !isObject(schema[name]))
      return { path: [name], reason: 'must be an object of schemas' };
  for (const name of SEVERAL)
    if (schema[name] !== undefined && !(Array.isArray(schema[name]) && schema[name].length > 0))
      return { path: [name], reason: 'must be an array of schemas' };
  return null;
}

function* schemasIn(schema: Readonly<Record<string, unknown>>): Generator<[path: (string | number)[], unknown]> {
  for (const name of ONE) if (schema[name] !== undefined) yield [[name], schema[name]];
  const { items } = schema;
  if (Array.isArray(items)) for (const [i, item] of items.entries()) yield [['items', i], item];
  else if (items !== undefined) yield [['items'], items];
  for (const name of SEVERAL)
    if (Array.isArray(schema[name])) for (const [i, below] of schema[name].entries()) yield [[name, i], below];
  for (const name of NAMED)
    if (isObject(schema[name])) for (const [key, below] of Object.entries(schema[name])) yield [[name, key], below];
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
