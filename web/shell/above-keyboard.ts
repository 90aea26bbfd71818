/** A browser's own bars take less than this, a keyboard more. */
const KEYBOARD_PX = 120;

/**
 * Keeps the app above the keyboard of a phone where the browser lays that over the page (iOS): it is as tall as what is
 * seen, and what is written in stays in view. Other browsers make the page smaller (`interactive-widget`), which leaves
 * nothing to do.
 */
export function stayAboveKeyboard(): void {
  const seen = visualViewport;
  if (seen === null) return;
  const page = document.documentElement;
  seen.addEventListener('resize', () => {
    // Who zooms in sees a part of the page, too, and its size is nobody's business then.
    const covered = seen.scale < 1.05 && page.clientHeight - seen.height > KEYBOARD_PX;
    if (!covered) return page.style.removeProperty('--seen');
    page.style.setProperty('--seen', `${seen.height}px`);
    const field = document.activeElement;
    // The browser has pushed the page up for the field, which a smaller page need not be. A dialog is no part of it.
    if (field?.closest('#root') == null) return;
    scrollTo(0, 0);
    field.scrollIntoView({ block: 'nearest' });
  });
}
