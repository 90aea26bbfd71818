import { readFileSync } from 'node:fs';

export const RUNBOOK = readFileSync(new URL('../../docs/runbook.md', import.meta.url), 'utf8');

/** The views that the runbook tells people to save in the Temporal UI, by name. */
export const SAVED_VIEWS: ReadonlyMap<string, string> = new Map(
  [...RUNBOOK.matchAll(/^\| ([^|`]+?) +\| `([A-Z][^`]+)` +\|$/gm)].map(([, name = '', query = '']) => [name, query]),
);

/** @throws when the runbook has no such view. */
export function savedView(name: string): string {
  const query = SAVED_VIEWS.get(name);
  if (query === undefined)
    throw new Error(`docs/runbook.md has no view "${name}", but ${[...SAVED_VIEWS.keys()].join(', ')}`);
  return query;
}
