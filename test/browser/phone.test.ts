import { afterAll, afterEach, beforeAll, expect, jest, test } from '@jest/globals';
import { readFileSync } from 'node:fs';
import type { Locator, Page } from 'playwright-core';
import { Gate } from '../fake-model/scenario.ts';
import { until } from '../support/until.ts';
import { expectToFit } from './audit.ts';
import { openStage, type Stage } from './stage.ts';

jest.setTimeout(120_000);
let stage: Stage;
beforeAll(async () => {
  stage = await openStage();
});
afterEach(async () => {
  expect(await stage.leave()).toEqual([]);
});
afterAll(() => stage.close());

/** The words of a part of the app, as the page shows them. */
const wordsOf = (locale: string, part: string) =>
  JSON.parse(readFileSync(new URL(`../../web/i18n/${locale}/${part}.json`, import.meta.url), 'utf8'));

/** The least side of what is pressed now and then, and of what is pressed all the time, in pixels. */
const [LEAST, LEAST_OF_MAIN] = [24, 44];

/** What is too small for a finger, or shown to a pointer that hovers alone. Nothing is too wide. */
async function faultsForFingers(page: Page, name: string, main: readonly Locator[] = []): Promise<string[]> {
  await expectToFit(page, `phone-${name}`);
  const small = await page.evaluate((least) => {
    const found: string[] = [];
    for (const control of document.querySelectorAll<HTMLElement>('button, a[href], input, select, textarea, summary')) {
      const box = (control.closest('label') ?? control).getBoundingClientRect();
      const inText = getComputedStyle(control).display === 'inline';
      if (box.width < 2 || control.matches('.sr-only') || !control.checkVisibility({ visibilityProperty: true }))
        continue;
      const said = control.getAttribute('aria-label') ?? control.textContent;
      if (!inText && Math.min(box.width, box.height) < least) found.push(`${said}: ${box.width} × ${box.height}`);
      if (!control.checkVisibility({ opacityProperty: true })) found.push(`${said}: hidden`);
    }
    return found;
  }, LEAST);
  const sides = await Promise.all(
    main.map(async (control) => {
      const { width = 0, height = 0 } = (await control.boundingBox()) ?? {};
      return [await control.evaluate((it) => it.getAttribute('aria-label') ?? it.textContent), Math.min(width, height)];
    }),
  );
  const smallOfMain = sides.filter(([, side]) => Number(side) < LEAST_OF_MAIN).map((side) => side.join(': '));
  return [...small, ...smallOfMain].map((fault) => `${name}: ${fault}`);
}

/** Whether it is in view, or in something that a finger scrolls. A script scrolls what is hidden, too. */
function isReachable(control: Element): boolean {
  if (control.getBoundingClientRect().bottom <= innerHeight) return true;
  for (let around = control.parentElement; around !== null; around = around.parentElement)
    if (getComputedStyle(around).overflowY === 'auto' && around.scrollHeight > around.clientHeight) return true;
  return false;
}

/** How much of the conversation is below what is seen. */
const below = (page: Page) =>
  page.locator('[role=region]').evaluate((box) => box.scrollHeight - box.scrollTop - box.clientHeight);

/** A finger that moves down slowly, by so many pixels so often. */
async function drag(page: Page, from: { x: number; y: number }, { by, times }: { by: number; times: number }) {
  const device = await page.context().newCDPSession(page);
  const touch = (type: 'touchStart' | 'touchMove' | 'touchEnd', touchPoints: { x: number; y: number }[]) =>
    device.send('Input.dispatchTouchEvent', { type, touchPoints });
  await touch('touchStart', [from]);
  for (let moved = 1; moved <= times; moved += 1) await touch('touchMove', [{ ...from, y: from.y + moved * by }]);
  await touch('touchEnd', []);
}

test.each([
  ['ko', 390, 844],
  ['en', 320, 568],
] as const)(
  'in %s at %i × %i px a finger signs in, asks, reads while it streams, answers again, edits, pages, shares, deletes and signs out',
  async (locale, width, height) => {
    const [chat, common, signIn, sharing] = ['chat', 'common', 'sign-in', 'sharing'].map((p) => wordsOf(locale, p));
    const faults: string[] = [];
    const person = await stage.stack.person();
    await person.call('PATCH', '/api/me', { locale });
    const touch = { viewport: { width, height }, locale: locale === 'ko' ? 'ko-KR' : 'en-US', once: true };
    const page = await stage.visit('/', { ...touch, hasTouch: true, isMobile: true });
    const button = (name: string) => page.getByRole('button', { name, exact: true });
    const answer = page.getByRole('article', { name: chat.answer });
    const field = page.getByLabel(chat.message, { exact: true });

    await page.getByLabel(signIn.key, { exact: true }).fill(person.token);
    faults.push(...(await faultsForFingers(page, `sign-in-${locale}-${width}`, [button(signIn.withKey)])));
    await page.setViewportSize({ width: height, height: width });
    expect(await page.getByRole('button').last().evaluate(isReachable)).toBe(true);
    await page.setViewportSize({ width, height });
    await button(signIn.withKey).tap();

    // A long answer is followed as it streams, until a finger moves up, however slowly, and again from its end on.
    const last = new Gate(300);
    stage.stack.model.next({ chunks: { count: 330, text: 'line {n}\n\n' }, delayMs: 8, gate: last });
    await field.tap();
    await field.fill('?');
    await button(chat.send).tap();
    await until(async () => (await answer.locator('p').count()) > 60);
    expect(await below(page)).toBeLessThan(60);
    await drag(page, { x: width / 2, y: height / 3 }, { by: 4, times: 20 });
    const read = await answer.locator('p').count();
    await until(async () => (await answer.locator('p').count()) > read + 20);
    expect(await below(page)).toBeGreaterThan(200);
    faults.push(
      ...(await faultsForFingers(page, `streaming-${locale}-${width}`, [button(chat.toEnd), button(chat.stop)])),
    );
    await button(chat.toEnd).tap();
    await last.reached;
    await until(async () => (await below(page)) < 2);
    last.open();
    await button(chat.askAnew).waitFor();
    await until(async () => (await below(page)) < 2);
    await button(chat.toEnd).waitFor({ state: 'detached' });
    faults.push(
      ...(await faultsForFingers(page, `answered-${locale}-${width}`, [
        button(chat.send),
        button(common.openSidebar),
        button(common.bell.label),
        button(common.account),
      ])),
    );

    stage.stack.model.next({ chunks: ['short'] });
    await button(chat.askAnew).tap();
    await page
      .getByRole('group', { name: chat.versions.answers.replace('{{number}}', '2').replace('{{count}}', '2') })
      .waitFor();
    await button(chat.versions.previous.answers).tap();
    await answer.getByText('line 330').waitFor();
    await button(chat.edit.open).tap();
    await page.getByLabel(chat.edit.label).fill('!');
    faults.push(...(await faultsForFingers(page, `edit-${locale}-${width}`)));
    stage.stack.model.next({ chunks: ['edited'] });
    await button(chat.send).first().tap();
    await answer.getByText('edited').waitFor();
    await button(chat.versions.previous.questions).waitFor();
    faults.push(...(await faultsForFingers(page, `paged-${locale}-${width}`)));

    await button(chat.shareHere).tap();
    await button(sharing.share.make).tap();
    await page.getByText(sharing.share.once).waitFor();
    faults.push(...(await faultsForFingers(page, `share-${locale}-${width}`)));
    await page.getByRole('dialog').getByRole('button', { name: common.dismiss }).tap();

    // On its side, too, every entry of a conversation's menu can be reached.
    await page.setViewportSize({ width: height, height: width });
    await button(common.openSidebar).tap();
    const begin = page.getByRole('dialog').getByRole('link', { name: chat.new });
    await begin.waitFor();
    faults.push(...(await faultsForFingers(page, `drawer-${locale}-${height}`, [begin])));
    await page
      .getByRole('dialog')
      .getByRole('button', { name: chat.conversationMenu.replace('{{title}}', '?') })
      .tap();
    await page.getByRole('menuitem').last().scrollIntoViewIfNeeded();
    const menu = await page.getByRole('menu').boundingBox();
    expect([menu!.y >= 0, menu!.y + menu!.height <= width]).toEqual([true, true]);
    await page.getByRole('menuitem', { name: chat.delete }).tap();
    await page.getByRole('alertdialog').getByRole('button').last().tap();
    await page.getByRole('alertdialog').waitFor({ state: 'detached' });
    await page.keyboard.press('Escape');
    await page.setViewportSize({ width, height });

    await button(common.account).tap();
    await page.getByRole('menuitem', { name: common.usage }).tap();
    await page.getByTestId('usage-card').last().waitFor();
    faults.push(...(await faultsForFingers(page, `usage-${locale}-${width}`)));
    await button(common.account).tap();
    await page.getByRole('menuitem', { name: common.signOut }).tap();
    await page.getByLabel(signIn.key, { exact: true }).waitFor();
    expect(faults).toEqual([]);
  },
);

test('the composer stays in view above a keyboard, whether the browser makes the page smaller for it or lays it over the page', async () => {
  const person = await stage.stack.person();
  const page = await stage.visitAs(person, '/', {
    viewport: { width: 320, height: 568 },
    hasTouch: true,
    isMobile: true,
    once: true,
  });
  const send = page.getByRole('button', { name: '보내기' });
  const field = page.getByLabel('메시지', { exact: true });
  const bottom = async (of: Locator) => of.evaluate((control) => control.getBoundingClientRect().bottom);
  // Only what comes after the page has read what there is pops up.
  await page.getByRole('button', { name: '알림', exact: true }).waitFor();
  await stage.settled(page);
  await field.tap();
  await person.call('POST', '/api/ai-usage/test-usage', { userId: person.userId, usagePercent: 105 });
  const popUp = page.getByTestId('pop-up');
  // It stays as long as the focus is on it.
  await popUp.getByRole('button', { name: '닫기' }).focus();
  await popUp.getByRole('button', { name: '읽음으로 표시' }).waitFor();
  await page.getByTestId('usage-banner').waitFor();
  await page.setViewportSize({ width: 320, height: 284 });
  await until(async () => (await bottom(send)) <= 284);
  // What pops up is a line at the top then, and not over what is being written.
  const card = await popUp.boundingBox();
  expect([card!.y < 10, card!.height < 70, await popUp.getByRole('button').count()]).toEqual([true, true, 1]);
  expect(await bottom(popUp)).toBeLessThan(await field.evaluate((it) => it.getBoundingClientRect().top));
  await expectToFit(page, 'keyboard-ko-320');
  await popUp.getByRole('button', { name: '닫기' }).tap();
  // What has no room beside it is a scroll away.
  const buy = page.getByTestId('usage-banner').getByRole('link');
  await buy.scrollIntoViewIfNeeded();
  expect(await buy.evaluate((link) => link.getBoundingClientRect().top > 0)).toBe(true);
  await page.setViewportSize({ width: 320, height: 568 });

  await field.fill('한 줄\n'.repeat(40));
  const cover = (height: number) =>
    page.evaluate((seen) => {
      Object.defineProperty(visualViewport, 'height', { value: seen, configurable: true });
      visualViewport?.dispatchEvent(new Event('resize'));
    }, height);
  expect(await bottom(send)).toBeGreaterThan(500);
  await cover(284);
  await until(async () => (await bottom(send)) <= 284);
  expect(await bottom(field)).toBeLessThan(await bottom(send));
  await cover(568);
  await until(async () => (await bottom(send)) > 500);
});
