import { readFile } from 'node:fs/promises';
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import type { Person } from '../support/stack.ts';
import { until } from '../support/until.ts';
import { audit } from './audit.ts';
import { picture } from './picture.ts';
import { openStage, type Stage } from './stage.ts';

let stage: Stage;
let person: Person;
beforeAll(async () => {
  stage = await openStage();
});
afterEach(async () => {
  expect(await stage.leave()).toEqual([]);
});
afterAll(() => stage.close());

const WORDS = {
  ko: {
    menu: (title: string) => `‘${title}’ 메뉴`,
    open: '대화 목록 열기',
    list: '대화 목록',
    search: '대화 검색',
    pin: '고정하기',
    pinned: '고정한 대화',
    today: '오늘',
    share: '공유하기',
    make: '링크 만들기',
    address: '공유 링크',
    revoke: '해제',
    close: '닫기',
    remove: '삭제하기',
    removeTitle: '대화를 삭제할까요?',
    keep: '취소',
    really: '삭제',
    gone: '볼 수 없는 링크입니다',
    answer: '답변',
    message: '메시지',
  },
  en: {
    menu: (title: string) => `Options for “${title}”`,
    open: 'Open conversations',
    list: 'Conversations',
    search: 'Search conversations',
    pin: 'Pin',
    pinned: 'Pinned',
    today: 'Today',
    share: 'Share',
    make: 'Create link',
    address: 'Share link',
    revoke: 'Revoke',
    close: 'Dismiss',
    remove: 'Delete',
    removeTitle: 'Delete this conversation?',
    keep: 'Cancel',
    really: 'Delete',
    gone: 'This link can’t be opened',
    answer: 'Answer',
    message: 'Message',
  },
} as const;

test.each([
  ['ko', 390],
  ['ko', 1280],
  ['en', 390],
  ['en', 1280],
] as const)(
  'in %s at %i px: pinned, found by its answer, shared, read by a stranger, deleted',
  async (locale, width) => {
    const words = WORDS[locale];
    person = await stage.stack.person();
    await person.call('PATCH', '/api/me', { locale });
    const viewport = { width, height: 844 };
    const page = await stage.visitAs(person, '/', { viewport, locale });
    stage.stack.model.next({ chunks: ['석촌호수의 벚꽃을 권합니다.'] });
    await page.getByLabel(words.message, { exact: true }).fill('봄 나들이');
    await page.keyboard.press('Enter');
    await page.getByText('석촌호수의 벚꽃을 권합니다.').first().waitFor();
    const sidebar = async () => {
      if (width < 1024 && (await page.getByRole('dialog').count()) === 0)
        await page.getByRole('button', { name: words.open }).click();
      return page.getByRole('navigation', { name: words.list }).filter({ visible: true });
    };
    const choose = async (entry: string) => {
      await (await sidebar()).getByRole('button', { name: words.menu('봄 나들이') }).click();
      await page.getByRole('menuitem', { name: entry, exact: true }).click();
    };

    await (await sidebar()).getByRole('region', { name: words.today }).waitFor();
    await choose(words.pin);
    await (await sidebar()).getByRole('region', { name: words.pinned }).getByRole('link').waitFor();
    await picture(page, `pinned-${locale}-${width}`);

    await (await sidebar()).getByRole('searchbox', { name: words.search }).fill('벚꽃');
    await (await sidebar()).getByRole('link', { name: /석촌호수의 벚꽃을/ }).waitFor();
    expect(await (await sidebar()).locator('mark').textContent()).toBe('벚꽃');
    await picture(page, `found-${locale}-${width}`);
    await (await sidebar()).getByRole('searchbox', { name: words.search }).fill('');

    await choose(words.share);
    await page.getByRole('button', { name: words.make }).click();
    const address = await page.getByRole('textbox', { name: words.address }).inputValue();
    await picture(page, `share-${locale}-${width}`);
    expect(await audit(page)).toEqual([]);
    const stranger = await stage.visit(new URL(address).pathname, { viewport, locale });
    await stranger.getByRole('article', { name: words.answer }).getByText('석촌호수의 벚꽃을').waitFor();
    await picture(stranger, `shared-${locale}-${width}`);
    expect(await audit(stranger)).toEqual([]);
    await page
      .getByRole('dialog', { name: locale === 'ko' ? '대화 공유' : 'Share this conversation' })
      .getByRole('button', { name: words.close })
      .click();

    await choose(words.remove);
    const sure = page.getByRole('alertdialog', { name: words.removeTitle });
    await sure.waitFor();
    expect(
      await sure.getByRole('button', { name: words.keep }).evaluate((button) => button === document.activeElement),
    ).toBe(true);
    await picture(page, `delete-${locale}-${width}`);
    expect(await audit(page)).toEqual([]);
    await sure.getByRole('button', { name: words.really }).click();
    await page.waitForURL((url) => url.pathname === '/');
    await sure.waitFor({ state: 'detached' });
    expect((await person.call('GET', '/api/conversations')).body.items).toEqual([]);
    await stranger.reload();
    await stranger.getByRole('heading', { name: words.gone }).waitFor();
    await picture(stranger, `gone-${locale}-${width}`);
    // A 404 is what the page was told, and the console says so.
    stage.complaints();
  },
);

test.each([
  ['ko', 390],
  ['en', 1280],
] as const)(
  'in %s at %i px: shared up to the answer under which it was asked for or any that is chosen, and exported to files, by keyboard',
  async (locale, width) => {
    const ko = locale === 'ko';
    person = await stage.stack.person();
    await person.call('PATCH', '/api/me', { locale });
    stage.stack.model.next({ chunks: ['첫 답변입니다.'] });
    const { conversationId, turnId } = (await person.call('POST', '/api/chat/send', { message: '첫 질문' })).body;
    stage.stack.model.next({ chunks: ['둘째 답변입니다.'] });
    await person.call('POST', '/api/chat/send', { message: '둘째 질문', conversationId });
    const viewport = { width, height: 844 };
    const page = await stage.visitAs(person, `/c/${conversationId}`, { viewport, locale });
    const here = page.getByRole('button', { name: ko ? '여기까지 공유' : 'Share up to here' });
    await here.first().focus();
    await page.keyboard.press('Enter');
    const dialog = page.getByRole('dialog', { name: ko ? '대화 공유' : 'Share this conversation' });
    const upTo = dialog.getByRole('combobox', { name: ko ? '마지막으로 보여 줄 질문' : 'Last question to show' });
    await upTo.waitFor();
    const chosen = () => upTo.evaluate((list: HTMLSelectElement) => list.selectedOptions[0]?.text);
    expect(await chosen()).toBe('첫 질문');
    const share = async () => {
      await dialog.getByRole('button', { name: WORDS[locale].make }).click();
      const { pathname } = new URL(await dialog.getByRole('textbox').inputValue());
      return (await person.call('GET', `/api/shared/${pathname.slice(3)}`)).body.messages.map(
        ({ content }: { content: string }) => content,
      );
    };
    expect(await share()).toEqual(['첫 질문', '첫 답변입니다.']);
    await dialog.getByRole('listitem').filter({ hasText: '첫 질문' }).waitFor();
    await picture(page, `share-here-${locale}-${width}`);
    expect(await audit(page)).toEqual([]);
    await upTo.selectOption({ label: ko ? '최신: 둘째 질문' : 'Newest: 둘째 질문' });
    expect(await share()).toEqual(['첫 질문', '첫 답변입니다.', '둘째 질문', '둘째 답변입니다.']);
    await page.keyboard.press('Escape');
    await dialog.waitFor({ state: 'detached' });
    await until(() => here.first().evaluate((button) => button === document.activeElement));

    // Another question in the place of the second one: Markdown is the line that is shown, JSON is all.
    await person.call('POST', '/api/chat/send', { message: '고친 질문', conversationId, parentTurnId: turnId });
    await page.getByText('고친 질문').first().waitFor();
    if (width < 1024) await page.getByRole('button', { name: WORDS[locale].open }).click();
    const menu = page.getByRole('button', { name: WORDS[locale].menu('첫 질문') }).filter({ visible: true });
    for (const [format, file, holds] of [
      ['Markdown', `turnkeeper-${conversationId}.md`, /^# 첫 질문(?![^]*둘째)[^]*고친 질문/],
      ['JSON', `turnkeeper-${conversationId}.json`, /"둘째 답변입니다."[^]*"고친 질문"/],
    ] as const) {
      await menu.focus();
      await page.keyboard.press('Enter');
      const entry = page.getByRole('menuitem', { name: ko ? `${format}으로 내보내기` : `Export as ${format}` });
      await entry.focus();
      await picture(page, `export-${locale}-${width}`);
      const saved = page.waitForEvent('download');
      await page.keyboard.press('Enter');
      const download = await saved;
      expect(download.suggestedFilename()).toBe(file);
      expect(await readFile(await download.path(), 'utf8')).toMatch(holds);
    }
    await page
      .getByRole('status')
      .filter({ hasText: ko ? '내보냈습니다' : 'Exported' })
      .first()
      .waitFor({ state: 'attached' });
  },
);

const OWN = {
  ko: {
    mine: '내 지침',
    ofOne: '이 대화의 지침',
    save: '저장',
    saved: /저장했습니다/,
    over: /토큰을 줄여 주세요/,
    take: '이 내용으로 바꾸기',
    changed: /다른 곳에서 바뀌었습니다/,
    inTheWay: /내 지침까지 보내기에는/,
    prefs: '환경설정',
  },
  en: {
    mine: 'Your instructions',
    ofOne: 'Instructions for this conversation',
    save: 'Save',
    saved: /^Saved/,
    over: /tokens too many/,
    take: 'Use this instead',
    changed: /changed elsewhere/,
    inTheWay: /your own instructions/,
    prefs: 'Preferences',
  },
} as const;

test.each([
  ['ko', 390],
  ['en', 1280],
] as const)(
  'in %s at %i px: own instructions are counted as they are typed, kept, told when they changed elsewhere, and named when they alone are in the way',
  async (locale, width) => {
    const [words, own] = [WORDS[locale], OWN[locale]];
    person = await stage.stack.person();
    await person.call('PATCH', '/api/me', { locale });
    const viewport = { width, height: 844 };
    const page = await stage.visitAs(person, '/preferences', { viewport, locale });
    const section = page.getByRole('region', { name: own.mine });
    const field = section.getByRole('textbox', { name: own.mine });
    const save = section.getByRole('button', { name: own.save });
    await field.fill('word '.repeat(312));
    await section.getByText(own.over).waitFor();
    expect([await save.isDisabled(), await field.getAttribute('aria-invalid')]).toEqual([true, 'true']);
    await section.scrollIntoViewIfNeeded();
    await picture(page, `instructions-over-${locale}-${width}`);
    await field.fill('word '.repeat(240));
    await section.getByText('240').waitFor();
    await field.press('Tab');
    await page.keyboard.press('Enter');
    await section.getByRole('status').filter({ hasText: own.saved }).waitFor();
    expect((await person.call('GET', '/api/me/instructions')).body).toMatchObject({ tokens: 240, version: 1 });
    await person.call('PUT', '/api/me/instructions', { text: 'elsewhere' });
    await field.fill('here');
    await save.click();
    await section.getByRole('alert').filter({ hasText: own.changed }).waitFor();
    await section.getByText('elsewhere', { exact: true }).waitFor();
    expect(await audit(page)).toEqual([]);
    await picture(page, `instructions-elsewhere-${locale}-${width}`);
    await section.getByRole('button', { name: own.take }).click();
    expect(await field.inputValue()).toBe('elsewhere');
    // A 409 is what the page was told, and the console says so.
    stage.complaints();

    await person.call('POST', '/api/chat/send', { message: '첫 질문' });
    await page.goto('/');
    if (width < 1024) await page.getByRole('button', { name: words.open }).click();
    const menu = page.getByRole('button', { name: words.menu('첫 질문') }).filter({ visible: true });
    await menu.focus();
    await page.keyboard.press('Enter');
    await page.getByRole('menuitem', { name: locale === 'ko' ? own.ofOne : 'Instructions' }).focus();
    await page.keyboard.press('Enter');
    const dialog = page.getByRole('dialog', { name: own.ofOne });
    await dialog.getByRole('textbox', { name: own.ofOne }).fill('word '.repeat(240));
    await dialog.getByRole('button', { name: own.save }).click();
    await dialog.getByRole('status').filter({ hasText: own.saved }).waitFor();
    expect(await audit(page)).toEqual([]);
    await picture(page, `instructions-conversation-${locale}-${width}`);
    await page.keyboard.press('Escape');
    await dialog.waitFor({ state: 'detached' });

    await (
      await stage.stack.person('admin')
    ).call('POST', '/api/ai-usage/test-usage', { userId: person.userId, usagePercent: 104.5 });
    await page.goto(`/c/${(await person.call('GET', '/api/conversations')).body.items[0].conversationId}`);
    await page.getByLabel(words.message, { exact: true }).fill('안녕');
    await page.keyboard.press('Enter');
    const refusal = page.getByRole('alert').filter({ hasText: own.inTheWay });
    await refusal.getByRole('link', { name: own.prefs }).waitFor();
    await picture(page, `instructions-in-the-way-${locale}-${width}`);
    stage.complaints();
  },
);
