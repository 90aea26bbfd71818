import { loadWords, type Chunks, type Namespace } from './language.ts';

/** Words of whole pages. The addresses of their files are no part of what everybody loads first. */
const CHUNKS: Chunks = import.meta.glob<Record<string, unknown>>(
  './*/{admin,admin-home,deliveries,instructions,invitation,keys,models,people,preferences,purchase,reports,usage-page,words}.json',
  { import: 'default' },
);

export async function loadPageWords(...parts: readonly Namespace[]): Promise<void> {
  await Promise.all(parts.map((part) => loadWords(part, CHUNKS)));
}
