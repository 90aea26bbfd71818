import { useSyncExternalStore } from 'react';
import type { ApiError } from '../../api/api-error.ts';

/**
 * The draft of a conversation, and why the last question sent from it was given back. It stays when its page is left.
 */
export interface Composing {
  readonly draft: string;
  readonly refusal: ApiError | null;
}

const EMPTY: Composing = { draft: '', refusal: null };
const all = new Map<string, Composing>();
/** The user id of who wrote the drafts; null before the server has named the person. */
let writer: number | null = null;
const listeners = new Set<() => void>();

/** @param conversationId null for the conversation that has not begun. */
export function useComposing(conversationId: string | null): Composing {
  return useSyncExternalStore(subscribe, () => composingOf(conversationId));
}

export function composingOf(conversationId: string | null): Composing {
  return all.get(conversationId ?? '') ?? EMPTY;
}

export function compose(conversationId: string | null, change: Partial<Composing>): void {
  all.set(conversationId ?? '', { ...composingOf(conversationId), ...change });
  for (const listener of listeners) listener();
}

/** Puts a refused question back, before anything typed since. */
export function giveBack(conversationId: string | null, question: string, refusal: ApiError): void {
  const { draft } = composingOf(conversationId);
  compose(conversationId, {
    draft: draft === '' || draft === question ? question : `${question}\n\n${draft}`,
    refusal,
  });
}

/** All drafts and who wrote them, to be kept while the page is left. */
export interface Drafts {
  readonly writer: number | null;
  readonly byConversation: Record<string, string>;
}

export function packDrafts(): Drafts {
  return {
    writer,
    byConversation: Object.fromEntries(
      [...all].filter(([, { draft }]) => draft !== '').map(([conversationId, { draft }]) => [conversationId, draft]),
    ),
  };
}

export function unpackDrafts(drafts: Drafts): void {
  writer = drafts.writer;
  for (const [conversationId, draft] of Object.entries(drafts.byConversation)) compose(conversationId, { draft });
}

/** Called when a person has signed in: drafts of another person are deleted, because they are not theirs to read. */
export function composeAs(userId: number): void {
  if (writer !== userId) forgetComposing();
  writer = userId;
}

export function forgetComposing(): void {
  all.clear();
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}
