import { useState } from 'react';

/**
 * For a dialog that is drawn only while it is open, and so has no trigger of its own.
 * @returns what gives the focus back to where it was when the dialog opened: `onCloseAutoFocus`.
 */
export function useOpener(): (event: Event) => void {
  const [opener] = useState(findOpener);
  return (event) => {
    if (opener?.isConnected !== true) return;
    event.preventDefault();
    opener.focus();
  };
}

/** A menu's entry leaves with its menu, whose button stays. */
function findOpener(): HTMLElement | null {
  const { activeElement } = document;
  const button = activeElement?.closest('[role="menu"]')?.getAttribute('aria-labelledby');
  if (button != null) return document.getElementById(button);
  return activeElement instanceof HTMLElement ? activeElement : null;
}
