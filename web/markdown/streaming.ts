let closeSigns: ((source: string) => string) | null = null;

/** Loads what closes open signs. Only an answer that streams needs it, so a page that opens does not wait for it. */
function load(): void {
  void import('remend').then(
    ({ default: remend }) => {
      closeSigns = remend;
    },
    () => {},
  );
}

/** Longer text is drawn as it came: looking for open signs in it would take too long with each delta. */
const LONGEST = 4_000;
/** What may stand before a row: signs of quotes and lists. */
const ROW = /^((?:[ \t]*(?:>|[-*+]|\d+[.)]))*[ \t]*)\|(.*)$/;
const RULE = /^[\s>]*\|?[\s:|-]*$/;

/** The block that is being written, as it will look: signs that are still open count as closed. */
export function closed(source: string): string {
  const table = withRule(source);
  if (closeSigns === null) load();
  return table ?? (source.length > LONGEST ? source : (closeSigns?.(source) ?? source));
}

/**
 * A table whose rule has not come yet, with one: its first row is a table at once and never shows its pipes.
 * @returns null when the source does not end so.
 */
function withRule(source: string): string | null {
  const lines = source.split('\n');
  while (lines.length > 1 && lines.at(-1) === '') lines.pop();
  const last = lines.at(-1) ?? '';
  const above = lines.at(-2);
  // A row above that has its rule belongs to a table that the parser knows.
  if (above !== undefined && ROW.test(above) && !RULE.test(above)) {
    if (!RULE.test(last) || lines.slice(0, -2).some((line) => ROW.test(line) && RULE.test(line))) return null;
    return [...lines.slice(0, -1), ruleFor(above)].join('\n');
  }
  if (!ROW.test(last) || (above !== undefined && ROW.test(above))) return null;
  // A pipe alone is no row yet.
  return ROW.exec(last)?.[2]?.trim() === '' ? lines.slice(0, -1).join('\n') : [...lines, ruleFor(last)].join('\n');
}

function ruleFor(row: string): string {
  const [, before = '', cells = ''] = ROW.exec(row) ?? [];
  const columns = Math.max(1, cells.replace(/\|\s*$/, '').split(/(?<!\\)\|/).length);
  return `${before.replace(/[^>\s]/g, ' ')}|${' --- |'.repeat(columns)}`;
}
