import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium, type Browser, type Page } from 'playwright-core';
import { CHROMIUM_FLAGS } from '../../scripts/services/chromium.ts';
import { start, type Start } from '../bootstrap/start.ts';
import { audit } from './audit.ts';
import { ask, required } from './stage.ts';

jest.setTimeout(180_000);
let running: Start;
let address: string;
let browser: Browser;
const dataDir = mkdtempSync(join(realpathSync(tmpdir()), 'turnkeeper-story-'));
const complaints: string[] = [];

beforeAll(async () => {
  running = start(dataDir);
  [{ address }, browser] = await Promise.all([
    running.serving(),
    chromium.launch({ executablePath: required('TEST_CHROMIUM'), args: CHROMIUM_FLAGS }),
  ]);
});
afterAll(async () => {
  await browser.close();
  running.child.kill('SIGTERM');
  await running.ended();
  rmSync(dataDir, { recursive: true, force: true });
});

/** Opens a browser of its own on the running `npm start`, signed in by one click. */
async function open(button: string): Promise<Page> {
  const context = await browser.newContext({
    locale: 'ko-KR',
    timezoneId: 'Asia/Seoul',
    viewport: { width: 1280, height: 800 },
    reducedMotion: 'reduce',
  });
  context.setDefaultTimeout(30_000);
  context.on('weberror', (error) => complaints.push(String(error.error().stack)));
  const page = await context.newPage();
  await page.goto(address);
  await page.getByRole('button', { name: button }).click();
  return page;
}

test('somebody who has never seen it chats, is blocked, is let on again by a grant, and an admin replays a failed turn', async () => {
  const page = await open('체험 사용자로 시작하기');
  await ask(page, '안녕하세요, 무엇을 할 수 있나요?');
  await page.getByRole('article', { name: '답변' }).getByText('받은 질문: 안녕하세요, 무엇을 할 수 있나요?').waitFor();

  await page.getByRole('link', { name: '자세히' }).click();
  const trying = page.getByRole('region', { name: '체험: 사용량 바꿔 보기' });
  for (const [level, word] of [
    ['NOTICE', '80% · 확인 필요'],
    ['WARNING', '90% · 주의'],
    ['CRITICAL', '95% · 부족'],
    ['BLOCKED', '105% · 사용 중단'],
  ] as const) {
    await trying.getByRole('button', { name: word }).click();
    await page.locator(`aside [data-testid=usage-card][data-level=${level}]`).waitFor();
    expect([level, await audit(page)]).toEqual([level, []]);
  }
  await page.getByRole('link', { name: '새 대화' }).click();
  await page.locator('[data-testid=usage-banner][data-level=BLOCKED]').waitFor();
  expect(await page.getByRole('button', { name: '보내기' }).isDisabled()).toBe(true);

  const admin = await open('관리자로 둘러보기');
  await admin.getByRole('button', { name: '내 계정' }).click();
  await admin.getByRole('menuitem', { name: '관리', exact: true }).click();
  const sections = admin.getByRole('navigation', { name: '관리 메뉴' });
  await sections.getByRole('link', { name: '사용자' }).click();
  await admin.getByRole('link', { name: 'demo@turnkeeper.example' }).click();
  const grant = admin.getByRole('form', { name: '토큰 지급' });
  await grant.getByLabel('지급할 토큰').fill('200000');
  await grant.getByLabel('사유').fill('체험');
  await grant.getByRole('button', { name: '지급하기' }).click();
  await grant.getByText('200,000토큰을 지급했습니다.').waitFor();

  await page.locator('aside [data-testid=usage-card][data-level=NORMAL]').waitFor();
  await ask(page, '일부러 실패해 주세요');
  await page
    .getByRole('alert')
    .getByText(/처리할 수 없|거절|거부/)
    .waitFor();
  await sections.getByRole('link', { name: '질문 기록' }).click();
  await admin.getByRole('list', { name: '실패 원인' }).getByRole('button', { name: '모델이 요청을 거절 1' }).click();
  await admin
    .getByRole('row', { name: /모델이 요청을 거절/ })
    .getByRole('link')
    .first()
    .click();
  await admin.getByText('400 demo_failure').waitFor();
  const replay = admin.getByRole('form', { name: '다시 실행' });
  await replay.getByLabel('사유').fill('원인을 고쳤음');
  await replay.getByRole('button', { name: '다시 실행하기' }).click();
  await admin.getByText('완료', { exact: true }).first().waitFor();
  expect(await audit(admin)).toEqual([]);

  // The person's page is still open and has the answer in place of the failure.
  await page.getByRole('article', { name: '답변' }).getByText('받은 질문: 일부러 실패해 주세요').waitFor();
  await page.getByRole('alert').waitFor({ state: 'detached' });
  expect(complaints).toEqual([]);
});
