import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import type { Locator, Page } from 'playwright-core';
import { until } from '../support/until.ts';
import { PICTURES, pngOf, pngThatClaims } from '../support/pictures.ts';
import type { Person } from '../support/stack.ts';
import { expectToFit } from './audit.ts';
import { openStage, type Stage } from './stage.ts';

let stage: Stage;
let person: Person;

const MODELS = JSON.stringify([
  { name: 'gpt-4.1-mini', contextWindow: 200_000, maxOutputTokens: 2_048 },
  { name: 'blind', contextWindow: 200_000, maxOutputTokens: 2_048 },
]);

beforeAll(async () => {
  stage = await openStage({ MODELS });
  person = await stage.stack.person();
});
afterEach(async () => {
  expect(await stage.leave()).toEqual([]);
});
afterAll(() => stage.close());

const WORDS = {
  ko: {
    message: '메시지',
    attach: '파일 첨부',
    attached: '첨부한 파일',
    remove: /빼기$/,
    most: /^이 질문은 최대 [\d,]+토큰을 사용합니다\. \(첨부 파일 [\d,]+토큰\)$/,
    send: '보내기',
    answer: '답변',
    ask: '이 고지서는 언제까지 내야 하나요?',
  },
  en: {
    message: 'Message',
    attach: 'Attach files',
    attached: 'Attached files',
    remove: /^Remove /,
    most: /^This message uses at most [\d,]+ tokens \([\d,]+ for the files\)\.$/,
    send: 'Send',
    answer: 'Answer',
    ask: 'When is this bill due?',
  },
} as const;

const composer = (page: Page, words: { message: string } = WORDS.ko) => page.getByLabel(words.message, { exact: true });
const file = (name: string, buffer: Buffer, mimeType: string) => ({ name, buffer, mimeType });
const figures = (text: string) => [...text.matchAll(/[\d,]+/g)].map(([figure]) => Number(figure.replaceAll(',', '')));
/** Chooses files as a person does, by the button. */
async function choose(page: Page, label: string, ...files: ReturnType<typeof file>[]): Promise<void> {
  const [chooser] = await Promise.all([
    page.waitForEvent('filechooser'),
    page.getByRole('button', { name: label }).click(),
  ]);
  await chooser.setFiles(files);
}
const loaded = (image: Locator) =>
  until(() => image.evaluate((element) => element instanceof HTMLImageElement && element.naturalWidth > 0));

test.each([
  ['ko', 390, 'light'],
  ['en', 1_280, 'dark'],
] as const)(
  'a person sends a photo of a bill, asks about it, and sees before sending what it costs at most (%s, %i px)',
  async (language, width, colorScheme) => {
    const words = WORDS[language];
    await person.call('PATCH', '/api/me', { locale: language });
    const page = await stage.visitAs(person, '/', {
      viewport: { width, height: 800 },
      locale: language === 'ko' ? 'ko-KR' : 'en-US',
      colorScheme,
    });
    await choose(page, words.attach, file('bill.jpg', PICTURES.jpeg, 'image/jpeg'));
    const list = page.getByRole('list', { name: words.attached });
    await list.getByRole('button', { name: words.remove }).waitFor();
    await composer(page, words).fill(words.ask);
    const most = page.getByText(words.most);
    await most.waitFor();
    await loaded(list.getByRole('img'));
    await expectToFit(page, `files-composer-${language}`);
    const settled = await page.waitForFunction(
      ([pattern, flags]) =>
        [...document.querySelectorAll('p')].find((p) => new RegExp(pattern, flags).test(p.innerText))?.innerText,
      [words.most.source, words.most.flags] as const,
    );
    const [tokens = 0] = figures(await settled.evaluate((text) => text ?? ''));
    await page.getByRole('button', { name: words.send }).click();
    const answer = page.getByRole('article', { name: words.answer });
    await answer.getByText(/gpt-4\.1-mini/).waitFor();
    const asked = stage.stack.model.requests.at(-1)!.body.messages.at(-1)!.content;
    expect(asked).toEqual([
      { type: 'text', text: words.ask },
      { type: 'image_url', image_url: { url: expect.stringMatching(/^data:image\/jpeg;base64,/) } },
    ]);
    // The photo lay on its side: what leaves the browser stands upright, and the camera's notes are gone.
    const sent = Buffer.from(JSON.stringify(asked).split('base64,')[1] ?? '', 'base64');
    expect([sent.includes('secret'), sent.includes('Exif')]).toEqual([false, false]);
    const { body } = await person.call('GET', '/api/ai-usage/history?by=turn');
    expect(body.items[0].debitedTokens).toBeGreaterThan(0);
    expect(body.items[0].debitedTokens).toBeLessThanOrEqual(tokens);
    await page.reload();
    const shown = page.getByRole('article').getByRole('list', { name: words.attached });
    await loaded(shown.getByRole('img'));
    expect(await page.getByRole('list', { name: words.attached }).count()).toBe(1);
    const [download] = await Promise.all([page.waitForEvent('download'), shown.getByRole('link').click()]);
    expect(download.suggestedFilename()).toBe('bill.jpg');
    await expectToFit(page, `files-transcript-${language}`);
  },
);

test('pasted and dropped files are attached, each refusal is said, and a draft keeps what was attached over a reload', async () => {
  await person.call('PATCH', '/api/me', { locale: 'ko' });
  const page = await stage.visitAs(person, '/', { viewport: { width: 390, height: 800 } });
  await composer(page).waitFor();
  const give = (kind: 'paste' | 'drop', name: string, type: string, bytes: Buffer) =>
    composer(page).evaluate(
      (field, { kind: how, name: called, type: said, base64 }) => {
        const data = new DataTransfer();
        data.items.add(new File([Uint8Array.from(atob(base64), (c) => c.charCodeAt(0))], called, { type: said }));
        field.dispatchEvent(
          how === 'paste'
            ? new ClipboardEvent('paste', { clipboardData: data, bubbles: true, cancelable: true })
            : new DragEvent('drop', { dataTransfer: data, bubbles: true, cancelable: true }),
        );
      },
      { kind, name, type, base64: bytes.toString('base64') },
    );
  await give('paste', 'image.png', 'image/png', pngOf(30, 20));
  await give('drop', 'notes.txt', 'text/plain', Buffer.from('읽을 글'));
  await give('drop', 'huge.png', 'image/png', pngThatClaims(100_000, 100_000));
  await give('drop', 'drawing.svg', 'image/svg+xml', Buffer.from('<svg xmlns="http://www.w3.org/2000/svg"/>'));
  const list = page.getByRole('list', { name: '첨부한 파일' });
  await page.getByText(/^huge\.png: 이미지가 너무 큽니다/).waitFor();
  await page.getByText(/^drawing\.svg: PNG, JPEG/).waitFor();
  await composer(page).fill('무엇이 보이나요?');
  const send = page.getByRole('button', { name: '보내기' });
  expect(await send.isDisabled()).toBe(true);
  await expectToFit(page, 'files-refused');
  for (const name of ['huge.png', 'drawing.svg'])
    await list.getByRole('button', { name: `${name} 빼기` }).press('Enter');
  await until(() => composer(page).evaluate((field) => field === document.activeElement));
  await page.getByText(WORDS.ko.most).waitFor();
  expect(await send.isDisabled()).toBe(false);
  await page.reload();
  await list.getByRole('img').waitFor();
  expect([await list.getByRole('listitem').count(), await composer(page).inputValue()]).toEqual([
    2,
    '무엇이 보이나요?',
  ]);
  // Another model reads texts, and sees nothing.
  await page.getByRole('button', { name: /gpt-4\.1-mini/ }).click();
  await page.getByRole('menuitemradio', { name: /blind/ }).click();
  await page.getByText('blind 모델은 이미지를 볼 수 없습니다.', { exact: false }).waitFor();
  expect(await send.isDisabled()).toBe(true);
  await list.getByRole('button', { name: 'image.png 빼기' }).click();
  await page.getByText(WORDS.ko.most).waitFor();
  await send.click();
  await page.getByRole('article', { name: '답변' }).getByText(/blind/).waitFor();
  expect(stage.stack.model.requests.at(-1)!.body.messages.at(-1)!.content).toBe(
    '<file name="notes.txt">\n읽을 글\n</file>\n\n무엇이 보이나요?',
  );
  // Asked once more, it is asked with what it showed.
  await page.evaluate(() => localStorage.removeItem('turnkeeper.model'));
  await page.reload();
  await page.getByRole('button', { name: '다시 답변 받기' }).click();
  await until(() => stage.stack.model.requests.at(-1)!.body.model === 'gpt-4.1-mini');
  expect(stage.stack.model.requests.at(-1)!.body.messages.at(-1)!.content).toContain('읽을 글');
});
