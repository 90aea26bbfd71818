type Scalar = string | number | boolean | null;
/** A block, what in it, which figure, and its value. */
export type ReportLine = readonly [string, string, string, Scalar];

export const REPORT_COLUMNS = ['block', 'key', 'figure', 'value'] as const;

/** By which fields the items of a list are told apart, the first that they have. */
const KEYS = [['weekday', 'hour'], ['turnId'], ['day'], ['model'], ['currency'], ['code'], ['daysBefore']] as const;

/**
 * A report as lines of one figure each: whatever a spreadsheet is to do with it, it filters by `block` and pivots.
 * Instants, the numbers whose name ends in `At`, are ISO 8601.
 */
export function linesOf(report: object): ReportLine[] {
  return Object.entries(report).flatMap(([name, value]) =>
    isScalar(value) ? [['report', '', name, shown(name, value)] as const] : ofBlock(name, '', value),
  );
}

function ofBlock(block: string, key: string, value: unknown): ReportLine[] {
  if (Array.isArray(value)) return value.flatMap((item: unknown, i) => ofItem(block, item, i));
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([name, inner]) =>
    isScalar(inner) ? [[block, key, name, shown(name, inner)] as const] : ofBlock(`${block}.${name}`, key, inner),
  );
}

function ofItem(block: string, item: unknown, i: number): ReportLine[] {
  if (isScalar(item)) return [[block, String(i + 1), 'value', item]];
  const fields = new Map(Object.entries(item as object));
  const key = KEYS.find((names) => names.every((name) => fields.has(name))) ?? [];
  const said = key.map((name) => String(fields.get(name))).join(' ');
  for (const name of key) fields.delete(name);
  return ofBlock(block, said === '' ? String(i + 1) : said, Object.fromEntries(fields));
}

function isScalar(value: unknown): value is Scalar {
  return value === null || ['string', 'number', 'boolean'].includes(typeof value);
}

function shown(name: string, value: Scalar): Scalar {
  return typeof value === 'number' && name.endsWith('At') ? new Date(value).toISOString() : value;
}
