import type { Locator } from 'playwright-core';

/** Tab also reaches other controls, before and after these. */
const OTHERS = 30;

/**
 * Presses Tab repeatedly, from where the focus is.
 * @returns the names of the controls that it does not reach.
 */
export async function missedByTab(controls: Locator): Promise<string[]> {
  const page = controls.page();
  const names = await controls.evaluateAll((all) => {
    document.addEventListener('focusin', ({ target }) => {
      (target as HTMLElement).dataset['reached'] = '';
    });
    return all.map((control, nth) => {
      (control as HTMLElement).dataset['nth'] = String(nth);
      return control.getAttribute('aria-label') ?? control.textContent?.trim() ?? '';
    });
  });
  const reached = page.locator('[data-nth][data-reached]');
  for (let presses = 1; presses <= names.length + OTHERS; presses += 1) {
    await page.keyboard.press('Tab');
    if (presses % 10 === 0 && (await reached.count()) === names.length) break;
  }
  const nths = await reached.evaluateAll((all) =>
    all.map((control) => Number((control as HTMLElement).dataset['nth'])),
  );
  return names.filter((_, nth) => !nths.includes(nth));
}
