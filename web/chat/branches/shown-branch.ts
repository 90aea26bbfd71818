import { useSyncExternalStore } from 'react';

/** With a conversation's id added: the name in sessionStorage of the turn whose line is shown. It ends with the tab. */
const KEPT = 'turnkeeper.branch.';
const listeners = new Set<() => void>();

/** The turn whose line of the conversation is shown; null: the newest turn, whichever that is. */
export function branchOf(conversationId: string): string | null {
  return sessionStorage.getItem(KEPT + conversationId);
}

export function useBranch(conversationId: string | null): string | null {
  return useSyncExternalStore(subscribe, () => (conversationId === null ? null : branchOf(conversationId)));
}

/** Only says which line is wanted; whoever calls it has it read. */
export function wantBranch(conversationId: string, turnId: string | null): void {
  if (turnId === null) sessionStorage.removeItem(KEPT + conversationId);
  else sessionStorage.setItem(KEPT + conversationId, turnId);
  for (const listener of listeners) listener();
}

/** Called when the person signs out. */
export function forgetBranches(): void {
  for (const name of Object.keys(sessionStorage)) if (name.startsWith(KEPT)) sessionStorage.removeItem(name);
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}
