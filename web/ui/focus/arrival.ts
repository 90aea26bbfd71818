/** When the address last changed, and when the person last pressed or wrote something, in ms of this page's clock. */
let arrivedAt = 0;
let actedAt = 0;

for (const kind of ['keydown', 'pointerdown', 'input'])
  addEventListener(kind, ({ timeStamp }) => (actedAt = timeStamp), { capture: true, passive: true });

/** Told with each change of the address, before the page that it names is there. */
export function arrive(): void {
  arrivedAt = performance.now();
}

/**
 * Whether a page that comes only now may take the focus: not from somebody who went on elsewhere while it was loading,
 * who types in the search or goes through the menu by then.
 */
export function mayTakeFocus(): boolean {
  return actedAt <= arrivedAt || document.activeElement === null || document.activeElement === document.body;
}
