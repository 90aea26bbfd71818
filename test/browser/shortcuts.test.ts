import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { until } from '../support/until.ts';
import { audit } from './audit.ts';
import { picture } from './picture.ts';
import { openStage, type Stage } from './stage.ts';

let stage: Stage;
beforeAll(async () => {
  stage = await openStage();
});
afterEach(async () => {
  expect(await stage.leave()).toEqual([]);
});
afterAll(() => stage.close());

test.each([
  ['ko', 1280, '단축키', '내 계정', '메시지', '대화 검색'],
  ['en', 390, 'Keyboard shortcuts', 'Your account', 'Message', 'Search conversations'],
] as const)(
  'in %s at %i px ? lists the shortcuts, and so does the menu; in a field it is a character; the chosen model is remembered',
  async (locale, width, title, account, message, search) => {
    const person = await stage.stack.person();
    await person.call('PATCH', '/api/me', { locale });
    const page = await stage.visitAs(person, '/', { viewport: { width, height: 800 }, locale });
    const list = page.getByRole('dialog', { name: title });
    const field = page.getByLabel(message, { exact: true });
    await field.click();
    await page.keyboard.type('?');
    expect(await field.inputValue()).toBe('?');
    await page.getByRole('button', { name: account }).focus();
    await page.keyboard.press('?');
    await list.getByText(search).waitFor();
    expect(await audit(page)).toEqual([]);
    await picture(page, `shortcuts-${width}-${locale}`);
    await page.keyboard.press('Escape');
    await list.waitFor({ state: 'detached' });
    await until(
      () => page.evaluate((name) => document.activeElement?.getAttribute('aria-label') === name, account),
      5_000,
    );
    await page.keyboard.press('Enter');
    await page.getByRole('menuitem', { name: title }).click();
    await list.waitFor();
    await page.keyboard.press('Escape');

    // The model that is chosen, by the keyboard too, is the one of the next turns, also after a reload.
    await page.getByRole('button', { name: /gpt-4\.1-mini$/ }).press('Enter');
    await page.getByRole('menuitemradio', { name: /gpt-5-mini/ }).press('Enter');
    await page.getByRole('button', { name: /gpt-5-mini$/ }).waitFor();
    await page.reload();
    await page.getByRole('button', { name: /gpt-5-mini$/ }).waitFor();
    await field.fill('?');
    await page.keyboard.press('Enter');
    await page
      .getByRole('article')
      .getByText(/gpt-5-mini/)
      .waitFor();
    expect(stage.stack.model.requests.at(-1)?.body.model).toBe('gpt-5-mini');
  },
);
