import { mkdirSync } from 'node:fs';
import type { Page } from 'playwright-core';

/** Where pictures of each state go, for whoever wants to look at them. */
const PICTURES = process.env['PICTURES'];

export async function picture(page: Page, name: string): Promise<void> {
  if (PICTURES === undefined) return;
  mkdirSync(PICTURES, { recursive: true });
  await page.screenshot({ path: `${PICTURES}/${name}.png`, animations: 'disabled', fullPage: true });
}
