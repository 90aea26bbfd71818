import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import type { Page } from 'playwright-core';
import { Gate } from '../fake-model/scenario.ts';
import type { Person } from '../support/stack.ts';
import { audit } from './audit.ts';
import { picture } from './picture.ts';
import { ask, openStage, type Stage } from './stage.ts';

let stage: Stage;
let person: Person;

beforeAll(async () => {
  stage = await openStage();
  person = await stage.stack.person();
});
afterEach(async () => {
  expect(await stage.leave()).toEqual([]);
});
afterAll(() => stage.close());

const FLOW = `flowchart TD
  A[질문을 받습니다] -->|예| B{한도가 남았나요?}
  B --> C[답변합니다<br/>한 번만 차감]
  B -->|아니요| D[거절합니다]
  style D fill:#fce8e6`;
const SEQUENCE = `sequenceDiagram
  사용자->>서버: 질문
  서버-->>사용자: 답변`;
const fenced = (...sources: string[]) => sources.map((source) => `\`\`\`mermaid\n${source}\n\`\`\``).join('\n\n');
const frames = (page: Page) => page.locator('iframe').count();

test('a diagram is code while its answer streams, then a picture that reads in light and dark, with its code at hand', async () => {
  const page = await stage.visitAs(person, '/', { viewport: { width: 390, height: 844 } });
  const loaded: string[] = [];
  page.on('request', (request) => loaded.push(request.url()));
  const gate = new Gate('finish');
  stage.stack.model.next({ chunks: [fenced(FLOW, SEQUENCE)], gate });
  await ask(page, '그려 주세요');
  await page.locator('figure.code').nth(1).waitFor();
  expect([await page.locator('figure.code img').count(), await frames(page)]).toEqual([0, 0]);
  expect(loaded.filter((url) => /mermaid|frame/i.test(url))).toEqual([]);
  gate.open();
  const pictures = page.getByRole('img', { name: /^다이어그램/ });
  await pictures.nth(1).waitFor();
  // The words are drawn in the page's font, which the picture holds.
  const light = await pictures.first().getAttribute('src');
  const svg = decodeURIComponent(light ?? '');
  expect(svg).toContain('한도가');
  expect(svg).toMatch(/@font-face\{font-family:"Noto Sans KR Variable"[^}]*url\("data:/);
  expect(svg).not.toMatch(/<script|foreignObject|data-passed|nonce/);
  expect(await pictures.first().evaluate((image: HTMLImageElement) => image.naturalWidth)).toBeGreaterThan(100);
  expect(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth)).toBe(true);
  expect(await audit(page)).toEqual([]);
  await picture(page, 'diagram-ko-390');
  await page.emulateMedia({ colorScheme: 'dark' });
  await page.waitForFunction(
    (before) => document.querySelector<HTMLImageElement>('figure.code img')?.getAttribute('src') !== before,
    light,
  );
  await picture(page, 'diagram-ko-390-dark');
  const figure = page.locator('figure.code').first();
  await figure.getByRole('button', { name: '코드 보기' }).press('Enter');
  await figure.getByText('한도가 남았나요?').waitFor();
  await figure.getByRole('button', { name: '그림 보기' }).press('Enter');
  await figure.getByRole('img').waitFor();
  // The frame has no origin: it reaches neither the page nor what the page keeps.
  expect(await page.locator('iframe').getAttribute('sandbox')).toBe('allow-scripts');
});

test('what is no diagram, too long, or hostile does nothing but stay code or become words', async () => {
  await person.call('PATCH', '/api/me', { locale: 'en' });
  const page = await stage.visitAs(person, '/', { viewport: { width: 1280, height: 800 }, locale: 'en-US' });
  const reached: string[] = [];
  page.on('request', (request) => {
    if (!request.url().startsWith(stage.stack.url) && !request.url().startsWith('data:')) reached.push(request.url());
  });
  await page.evaluate(() => {
    (window as unknown as { __run: string[] }).__run = [];
  });
  const hostile = [
    `flowchart TD\n  A["<img src=x onerror='parent.__run.push(1)'><script>top.__run.push(2)</script>"] --> B\n  click A "javascript:parent.__run.push(3)"\n  click B call alert()`,
    `%%{init: {"securityLevel": "loose", "htmlLabels": true, "themeCSS": "@import url(https://evil.example/x.css); * { background: url(https://evil.example/y.png) }"}}%%\nflowchart TD\n  A["<iframe src='https://evil.example/'></iframe><b>bold</b>"] --> B`,
  ];
  const impossible = ['flowchart TD\n  A --', `flowchart TD\n  A --> B\n  %% ${'-'.repeat(21_000)}`];
  stage.stack.model.next({ chunks: [fenced(...hostile, ...impossible)] });
  await page.getByLabel('Message', { exact: true }).fill('draw');
  await page.keyboard.press('Enter');
  const figures = page.locator('figure.code');
  for (const n of [0, 1]) await figures.nth(n).getByRole('img').waitFor();
  for (const n of [2, 3])
    await figures.nth(n).getByText('This diagram can’t be drawn, so its code is shown.').waitFor();
  expect(await figures.nth(2).locator('pre').innerText()).toContain('A --');
  expect(await page.evaluate(() => (window as unknown as { __run: string[] }).__run)).toEqual([]);
  expect(reached).toEqual([]);
  expect(await audit(page)).toEqual([]);
  await picture(page, 'diagram-hostile-en-1280');
  // What the policy refused is told in the console, and nothing else is.
  expect(stage.complaints().filter((complaint) => !/Content Security Policy|@import rules/.test(complaint))).toEqual(
    [],
  );
  await person.call('PATCH', '/api/me', { locale: 'ko' });
});
