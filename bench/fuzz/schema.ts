import type { Dice } from './dice.ts';
import { oddJson, ODD_TEXTS } from './odd-values.ts';

/** A schema of OpenAPI 3.1, as far as ours go. */
export interface Schema {
  readonly $ref?: string;
  readonly type?: string | readonly string[];
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly anyOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
  readonly allOf?: readonly Schema[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly items?: Schema;
  readonly format?: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly pattern?: string;
}

export interface Known {
  readonly schemas: Readonly<Record<string, Schema>>;
  /** Ids and cursors that answers have shown. */
  readonly seen: readonly string[];
}

/** How often a value is not what its schema says. */
const ODD = 0.12;

/** A JSON text of the schema, with here and there what it does not allow. */
export function jsonOf(schema: Schema, dice: Dice, known: Known, depth = 0): string {
  if (dice.says(ODD)) return oddJson(dice);
  if (schema.$ref !== undefined)
    return jsonOf(known.schemas[schema.$ref.split('/').at(-1) ?? ''] ?? {}, dice, known, depth + 1);
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  if (schema.enum !== undefined) return JSON.stringify(dice.pick(schema.enum));
  const choice = schema.anyOf ?? schema.oneOf ?? schema.allOf;
  if (choice !== undefined && choice.length > 0) return jsonOf(dice.pick(choice), dice, known, depth + 1);
  const type = typeof schema.type === 'string' ? schema.type : dice.pick(schema.type ?? ['string']);
  switch (type) {
    case 'object':
      return objectOf(schema, dice, known, depth);
    case 'array':
      return `[${Array.from({ length: dice.below(3) }, () => jsonOf(schema.items ?? {}, dice, known, depth + 1)).join()}]`;
    case 'integer':
    case 'number':
      return numberOf(schema, dice);
    case 'boolean':
      return dice.pick(['true', 'false']);
    case 'null':
      return 'null';
    default:
      return JSON.stringify(textOf(schema, dice, known));
  }
}

function objectOf({ properties = {}, required = [] }: Schema, dice: Dice, known: Known, depth: number): string {
  const parts = Object.entries(properties)
    .filter(([name]) => (required.includes(name) ? !dice.says(ODD / 4) : dice.says(0.4)))
    .map(([name, schema]) => `${JSON.stringify(name)}:${depth > 6 ? 'null' : jsonOf(schema, dice, known, depth + 1)}`);
  if (dice.says(ODD)) parts.push(`${JSON.stringify(dice.pick(['__proto__', 'x', '', 'constructor', 'toJSON']))}:1`);
  if (parts.length > 0 && dice.says(ODD / 4)) parts.push(parts[0] ?? '');
  return `{${parts.join()}}`;
}

function numberOf({ minimum = 0, maximum = 1_000 }: Schema, dice: Dice): string {
  const most = Math.min(maximum, minimum + 1_000_000);
  return dice.pick([String(minimum), String(maximum), String(minimum + dice.below(most - minimum + 1))]);
}

/** Text for a place in a path, a query, a header or a body. */
export function textOf(schema: Schema, dice: Dice, { seen }: Known): string {
  if (dice.says(ODD)) return dice.pick(ODD_TEXTS);
  if (schema.enum !== undefined) return String(dice.pick(schema.enum));
  if (seen.length > 0 && dice.says(0.6)) return dice.pick(seen);
  if (schema.type === 'integer' || schema.type === 'number') return numberOf(schema, dice);
  if (schema.format === 'date-time') return new Date(1.7e12 + dice.below(2e9) * 100).toISOString();
  return dice.pick(['안녕하세요', 'hello', 'gpt-4.1-mini', 'Asia/Seoul', '2026-11', 'ko', 'user:1', 'k@x.com']);
}
