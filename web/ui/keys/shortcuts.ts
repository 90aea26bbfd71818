import { useEffect } from 'react';
import { useLocation } from 'wouter';
import { isComposingKey } from './composing-key.ts';

/** Ctrl/⌘+K searches, Ctrl/⌘+Shift+O begins a new chat, ? lists them all where nobody writes. */
export function useShortcuts(): void {
  const [, navigate] = useLocation();
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      if (asksForList(event)) {
        event.preventDefault();
        dispatchEvent(new Event(SHORTCUTS));
      }
      if (!(event.ctrlKey || event.metaKey) || event.altKey) return;
      const key = event.key.toLowerCase();
      if (key === 'k' && !event.shiftKey) {
        event.preventDefault();
        dispatchEvent(new Event(SEARCH));
      } else if (key === 'o' && event.shiftKey) {
        event.preventDefault();
        navigate('/');
        dispatchEvent(new Event(WRITE));
      }
    };
    addEventListener('keydown', onKey);
    return () => removeEventListener('keydown', onKey);
  }, [navigate]);
}

function asksForList(event: KeyboardEvent): boolean {
  const writes = (event.target as Element | null)?.closest?.('input, textarea, select, [contenteditable]') != null;
  return event.key === '?' && !writes && !event.ctrlKey && !event.metaKey && !event.altKey && !isComposingKey(event);
}

/** The event that opens the list of shortcuts. */
export const SHORTCUTS = 'turnkeeper:shortcuts';
/** Events that move the focus: to the search of conversations, and to the composer. */
export const SEARCH = 'turnkeeper:search';
export const WRITE = 'turnkeeper:write';
