import { useEffect } from 'react';
import { useLocation } from 'wouter';

/** Ctrl or ⌘ with K searches, with Shift and O begins a new chat. */
export function useShortcuts(): void {
  const [, navigate] = useLocation();
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
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

/** Put the focus into the search of conversations, and into the composer. */
export const SEARCH = 'turnkeeper:search';
export const WRITE = 'turnkeeper:write';
