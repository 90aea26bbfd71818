import { parser } from '@prometheus-io/lezer-promql';

/** The names and labels that a query reads. */
export interface Query {
  readonly names: readonly string[];
  /** The matchers of `name{label="value"}`; `value` is null for a pattern or a negation. */
  readonly matchers: readonly { readonly name: string; readonly label: string; readonly value: string | null }[];
  /** The labels by which it groups or joins. */
  readonly grouped: readonly string[];
}

/**
 * Parses by Prometheus's own grammar.
 * @throws when Prometheus would refuse the query.
 */
export function parseQuery(query: string): Query {
  // Grafana inserts a duration before Prometheus sees the query.
  const source = query.replaceAll('$__rate_interval', '1m');
  const names: string[] = [];
  const matchers: { name: string; label: string; value: string | null }[] = [];
  const grouped: string[] = [];
  parser.parse(source).iterate({
    enter({ name, from, to, type, node }) {
      if (type.isError) throw new Error(`not PromQL at ${from}: ${source}`);
      const parent = node.parent?.name;
      if (name === 'Identifier' && parent === 'VectorSelector') names.push(source.slice(from, to));
      if (name === 'LabelName' && parent === 'GroupingLabels') grouped.push(source.slice(from, to));
      if (name !== 'UnquotedLabelMatcher') return;
      const [, label = '', operator = '', value = ''] =
        /^(\w+)\s*(=~|!~|!=|=)\s*"(.*)"$/.exec(source.slice(from, to)) ?? [];
      matchers.push({ name: names.at(-1) ?? '', label, value: operator === '=' ? value : null });
    },
  });
  return { names, matchers, grouped };
}
