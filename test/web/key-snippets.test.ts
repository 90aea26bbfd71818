import { expect, test } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { bodyOf, draftOf } from '../../web/keys/draft.ts';
import { CLIENTS, snippetFor } from '../../web/keys/snippets.ts';

const clients = readFileSync(join(import.meta.dirname, '../../docs/clients.md'), 'utf8');
const FILLED = { baseUrl: 'https://chat.example.com/v1', model: 'gpt-4.1-mini', secret: 'tk_…' };

/** What makes a line what it is, however it is laid out: names, addresses, models. */
function words(code: string): string[] {
  return code.match(/[\w./:@-]{3,}/g) ?? [];
}

test.each(CLIENTS)('the lines for %s are filled in, and are those of docs/clients.md', (client) => {
  const { code } = snippetFor(client, FILLED);
  for (const part of Object.values(FILLED)) expect(code).toContain(part);
  // Both may be laid out in their own way, and take the key from where they like.
  const known = new Set(words(clients));
  expect(
    words(code).filter((word) => !known.has(word) && !/^(tk_|console|answer|choices|message|content)/.test(word)),
  ).toEqual([]);
});

const KEY = {
  keyId: 1,
  name: 'a',
  scopes: ['read', 'v1'],
  models: ['gone'],
  capTokens: 5,
  capKind: 'total',
  requestsPerMinute: 3,
  expiresAt: '2099-01-01T00:00:00.000Z',
} as NonNullable<Parameters<typeof draftOf>[0]>;

test('a form sends what was chosen; models and an end that nobody touched are not sent again', () => {
  const now = Date.parse('2026-11-30T00:00:00Z');
  expect(bodyOf(draftOf(KEY), KEY, now)).toEqual({
    name: 'a',
    scopes: ['v1', 'read'],
    capTokens: 5,
    capKind: 'total',
    requestsPerMinute: 3,
  });
  expect(bodyOf({ ...draftOf(KEY), models: null, capKind: 'none', rate: '', ends: '7' }, KEY, now)).toEqual({
    name: 'a',
    scopes: ['v1', 'read'],
    models: null,
    capTokens: null,
    requestsPerMinute: null,
    expiresAt: '2026-12-07T00:00:00.000Z',
  });
  expect(bodyOf({ ...draftOf(null), name: 'b', ends: 'never' }, null, now)).toEqual({
    name: 'b',
    scopes: ['v1'],
    models: null,
    capTokens: null,
    requestsPerMinute: null,
    expiresAt: null,
  });
});
