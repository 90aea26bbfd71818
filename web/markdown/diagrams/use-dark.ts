import { useSyncExternalStore } from 'react';

const SYSTEM = matchMedia('(prefers-color-scheme: dark)');

/** Whether the page is dark now, by the person's choice or else by the system's. */
export function useDark(): boolean {
  return useSyncExternalStore(subscribe, () => {
    const chosen = document.documentElement.dataset['theme'];
    return chosen === undefined ? SYSTEM.matches : chosen === 'dark';
  });
}

function subscribe(changed: () => void): () => void {
  const chosen = new MutationObserver(changed);
  chosen.observe(document.documentElement, { attributeFilter: ['data-theme'] });
  SYSTEM.addEventListener('change', changed);
  return () => {
    chosen.disconnect();
    SYSTEM.removeEventListener('change', changed);
  };
}
