/**
 * Prometheus's text format, read as strictly as Prometheus does: each name is declared once, each sample belongs to a
 * declared name.
 */
export interface Exposition {
  /** Families by name (a histogram's without `_bucket`, `_sum`, `_count`). */
  readonly families: ReadonlyMap<string, { readonly type: string; readonly help: string | null }>;
  readonly samples: readonly Sample[];
}

export interface Sample {
  /** The name as it is queried: with `_bucket`, `_sum`, `_count`. */
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

export function parseExposition(text: string): Exposition {
  const families = new Map<string, { type: string; help: string | null }>();
  const helps = new Map<string, string>();
  const samples: Sample[] = [];
  for (const line of text.split('\n')) {
    const [, word, about = '', rest = ''] = /^# (HELP|TYPE) (\S+) ?(.*)$/.exec(line) ?? [];
    if (word === 'HELP') helps.set(about, rest);
    else if (word === 'TYPE') {
      if (families.has(about)) throw new Error(`${about} is declared twice`);
      families.set(about, { type: rest, help: helps.get(about) ?? null });
    } else if (line !== '' && !line.startsWith('#')) samples.push(parseSample(line));
  }
  for (const { name } of samples) if (familyOf(name, families) === null) throw new Error(`${name} has no type`);
  return { families, samples };
}

export function familyOf(name: string, families: Exposition['families']): string | null {
  if (families.has(name)) return name;
  const base = name.replace(/_(bucket|sum|count)$/, '');
  return families.get(base)?.type === 'histogram' ? base : null;
}

/** The sum of this name's samples that have these labels. */
export function valueOf({ samples }: Exposition, name: string, labels: Record<string, string> = {}): number {
  const found = samples.filter(
    (sample) =>
      sample.name === name && Object.entries(labels).every(([label, value]) => sample.labels[label] === value),
  );
  return found.reduce((sum, { value }) => sum + value, 0);
}

function parseSample(line: string): Sample {
  const [, name = '', labelText = '', value = ''] = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)$/.exec(line) ?? [];
  if (name === '') throw new Error(`no sample: ${line}`);
  const labels = Object.fromEntries(
    [...labelText.matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)].map(([, label = '', text = '']) => [label, text]),
  );
  return { name, labels, value: Number(value.replace('+Inf', 'Infinity')) };
}
