import type { Locator } from 'playwright-core';

/** Tab comes to others too, before and after them. */
const OTHERS = 30;

/** Presses Tab from where the focus is. @returns what those of the controls are called that it does not come to. */
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
