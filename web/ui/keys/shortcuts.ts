import { useEffect } from 'react';
import { useLocation } from 'wouter';

/** Ctrl/⌘+K searches, Ctrl/⌘+Shift+O begins a new chat. */
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

/** Events that move the focus: to the search of conversations, and to the composer. */
export const SEARCH = 'turnkeeper:search';
export const WRITE = 'turnkeeper:write';
