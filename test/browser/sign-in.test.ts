import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { mintDemoKeys } from '../../scripts/demo-keys.ts';
import { freePort } from '../../scripts/services/port.ts';
import { AUDIENCE, startProvider, type TestProvider } from '../support/provider.ts';
import { until } from '../support/until.ts';
import { audit } from './audit.ts';
import { askAgain, BLANK, openStage, type Stage } from './stage.ts';

describe('by the provider', () => {
  let provider: TestProvider;
  let stage: Stage;
  beforeAll(async () => {
    const port = await freePort();
    provider = await startProvider({ web: `http://127.0.0.1:${port}` });
    provider.describe('kim', { email: 'kim@example.com', email_verified: true });
    provider.describe('park', { email: 'park@example.com', email_verified: true, roles: ['turnkeeper-admin'] });
    stage = await openStage({
      PORT: String(port),
      OIDC_ISSUER: provider.issuer,
      OIDC_AUDIENCE: AUDIENCE,
      OIDC_CLIENT_ID: 'web',
      OIDC_EXTRA_PARAMS: `resource=${AUDIENCE}`,
      OIDC_ADMIN_ROLE: 'turnkeeper-admin',
    });
  });
  afterEach(async () => {
    expect(await stage.leave()).toEqual([]);
  });
  afterAll(async () => {
    await stage.close();
    await provider.close();
  });

  /** Signs in on the provider's own page. */
  async function introduce(page: Page, name: string): Promise<void> {
    await page.getByRole('button', { name: '로그인', exact: true }).click();
    await page.getByLabel('Name').fill(name);
    await page.getByRole('button', { name: 'Continue' }).click();
  }
  const heading = (page: Page, name: string) => page.getByRole('heading', { level: 1, name }).waitFor();
  /** A tab whose clock the test can move. */
  async function visitInTime(): Promise<Page> {
    const page = await stage.visit(BLANK, { once: true });
    await page.clock.install();
    await page.goto('/');
    return page;
  }
  /** Lets a tab that was left alone look again at what it shows. */
  async function returnAfter(page: Page, time: string): Promise<void> {
    // A request that is still under way would not be made again.
    await stage.settled(page);
    await page.clock.fastForward(time);
    await page.evaluate(() => document.dispatchEvent(new Event('visibilitychange')));
  }
  /** All that this browser stores of the app. */
  const kept = (page: Page) => page.evaluate(() => JSON.stringify([{ ...sessionStorage }, { ...localStorage }]));

  test('a person signs in, is back on the page they came from, and no token is stored; a reload and another tab ask the provider', async () => {
    const page = await stage.visit('/usage?month=2026-11#history');
    await page.getByRole('button', { name: '로그인', exact: true }).waitFor();
    expect(await audit(page)).toEqual([]);
    provider.asked();
    await introduce(page, 'kim');
    await heading(page, '토큰 사용량');
    expect(page.url()).toBe(`${stage.stack.url}/usage?month=2026-11#history`);
    expect(provider.asked()).toEqual(expect.arrayContaining(['/auth', '/token']));
    expect(await kept(page)).not.toMatch(/eyJ|verifier|refresh|oidc\./);
    await page.getByRole('button', { name: '내 계정' }).click();
    await page.getByText('kim@example.com').waitFor();

    await page.reload();
    await heading(page, '토큰 사용량');
    expect(page.url()).toBe(`${stage.stack.url}/usage?month=2026-11#history`);
    await stage.settled(page);
    expect(page.frames()).toHaveLength(1);
    const scripts = await page.evaluate(() =>
      performance
        .getEntriesByType('resource')
        .map(({ name }) => name)
        .filter((name) => name.endsWith('.js')),
    );
    expect(scripts.filter((url) => url.includes('provider'))).toHaveLength(1);
    const sizes = await Promise.all(
      scripts.map(async (url) =>
        Number((await fetch(url, { headers: { 'accept-encoding': 'gzip' } })).headers.get('content-length')),
      ),
    );
    expect(sizes.every((size) => size > 0)).toBe(true);
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThan(200_000);

    const other = await page.context().newPage();
    await other.goto('/preferences');
    await heading(other, '환경설정');
    expect(other.url()).toBe(`${stage.stack.url}/preferences`);
    expect(await kept(other)).not.toMatch(/eyJ|verifier|refresh|oidc\./);
  });

  test('the page may connect to the provider and to nobody else, and still has no frames', async () => {
    const policy =
      (await fetch(stage.stack.url, { headers: { accept: 'text/html' } })).headers.get('content-security-policy') ?? '';
    expect(policy).toContain(`connect-src 'self' ${provider.issuer};`);
    expect(policy).toContain("default-src 'none'");
    expect(policy).not.toMatch(/frame-src|child-src/);
  });

  test('a token is renewed before it ends, once for all requests, while the person writes on', async () => {
    const page = await visitInTime();
    await introduce(page, 'kim');
    await page.getByLabel('메시지', { exact: true }).fill('쓰던 글');
    // Each page asks for several things at once.
    for (const path of ['/usage', '/']) {
      await stage.settled(page);
      provider.asked();
      const asked: string[] = [];
      await page.clock.fastForward('04:45');
      await page.evaluate((to) => {
        history.pushState(null, '', to);
      }, path);
      await until(() => asked.push(...provider.asked()) > 0 && asked.includes('/token'));
      await stage.settled(page);
      expect([...asked, ...provider.asked()].filter((path) => path !== '/.well-known/openid-configuration')).toEqual([
        '/token',
      ]);
    }
    expect(await page.getByLabel('메시지', { exact: true }).inputValue()).toBe('쓰던 글');
    await page.getByLabel('메시지', { exact: true }).press('Enter');
    await page
      .getByRole('article', { name: '답변' })
      .getByText(/토큰 · gpt/)
      .waitFor();
  });

  test('a provider that is away when a token ends signs nobody out: the page says so and goes on when it is back', async () => {
    const page = await visitInTime();
    await introduce(page, 'kim');
    await page.getByLabel('메시지', { exact: true }).waitFor();
    await stage.settled(page);
    await provider.away();
    await page.clock.fastForward('06:00');
    await page.evaluate(() => {
      history.pushState(null, '', '/usage');
    });
    await page.getByText('서버에 연결하지 못했습니다.', { exact: false }).first().waitFor();
    await provider.back();
    await page.getByRole('button', { name: '다시 시도' }).first().waitFor();
    await askAgain(page);
    await heading(page, '토큰 사용량');
  });

  test('a session that has ended there says so, and comes back to the same place with what was written', async () => {
    const page = await visitInTime();
    await introduce(page, 'kim');
    await page.getByLabel('메시지', { exact: true }).fill('아직 보내지 않은 글');
    provider.forget();
    await returnAfter(page, '06:00');
    await page.getByText(/로그인이 만료되었습니다/).waitFor();
    expect(await audit(page)).toEqual([]);
    await introduce(page, 'kim');
    await page.getByLabel('메시지', { exact: true }).waitFor();
    expect(await page.getByLabel('메시지', { exact: true }).inputValue()).toBe('아직 보내지 않은 글');
    // Somebody else who signs in in the same tab cannot read it.
    provider.forget();
    await returnAfter(page, '06:00');
    await page.getByText(/로그인이 만료되었습니다/).waitFor();
    await introduce(page, 'park');
    await page.getByLabel('메시지', { exact: true }).waitFor();
    expect(await page.getByLabel('메시지', { exact: true }).inputValue()).toBe('');
    // A page opens anew while its person is no longer signed in at the provider.
    provider.forget();
    await page.goto('/usage');
    await page.getByText(/로그인이 만료되었습니다/).waitFor();
    expect(page.url()).toBe(`${stage.stack.url}/usage`);
    expect(await kept(page)).not.toContain('아직');
  });

  test('signing out ends the session here, in the other tabs and at the provider', async () => {
    const page = await stage.visit('/');
    await introduce(page, 'park');
    await page.getByLabel('메시지', { exact: true }).waitFor();
    const other = await page.context().newPage();
    await other.goto('/admin/users');
    await heading(other, '사용자');
    await other.getByRole('link', { name: 'park@example.com' }).click();
    await other.getByText(`park · ${new URL(provider.issuer).host}`, { exact: true }).waitFor();
    expect(await audit(other)).toEqual([]);
    provider.asked();
    // A background tab draws one frame a second.
    await page.bringToFront();
    await page.getByRole('button', { name: '내 계정' }).click();
    await page.getByRole('menuitem', { name: '로그아웃' }).click();
    await page.getByRole('button', { name: 'End the session' }).click();
    await page.getByRole('button', { name: '로그인', exact: true }).waitFor();
    expect(page.url()).toBe(`${stage.stack.url}/`);
    expect(provider.asked()).toEqual(expect.arrayContaining(['/token/revocation', '/session/end']));
    await other.getByRole('button', { name: '로그인', exact: true }).waitFor();
    await page.reload();
    await page.getByRole('button', { name: '로그인', exact: true }).click();
    await page.getByLabel('Name').waitFor();
  });

  test('whoever signs in again in one tab is signed in in the other', async () => {
    const page = await stage.visit('/');
    const other = await page.context().newPage();
    await other.goto('/usage');
    await other.getByRole('button', { name: '로그인', exact: true }).waitFor();
    await page.bringToFront();
    await introduce(page, 'kim');
    await heading(other, '토큰 사용량');
  });

  test('a token whose key the provider has taken back is replaced, and what was sent with it is sent again', async () => {
    const page = await stage.visit('/');
    await introduce(page, 'kim');
    await page.getByLabel('메시지', { exact: true }).fill('안녕');
    await stage.settled(page);
    await provider.rotate({ keeping: false });
    const newer = await provider.sign({ sub: 'first-by-the-new-key' });
    await until(
      async () => (await fetch(`${stage.stack.url}/api/me`, { headers: { authorization: `Bearer ${newer}` } })).ok,
    );
    provider.asked();
    await page.getByLabel('메시지', { exact: true }).press('Enter');
    await page
      .getByRole('article', { name: '답변' })
      .getByText(/토큰 · gpt/)
      .waitFor();
    expect(provider.asked()).toContain('/token');
    expect(await page.getByRole('article', { name: '내 질문' }).count()).toBe(1);
  });

  test('no thanks, and a provider that is away, are said on the page that was asked for, by keyboard alone', async () => {
    const page = await stage.visit('/usage');
    await page.getByRole('button', { name: '로그인', exact: true }).focus();
    await page.keyboard.press('Enter');
    await page.getByRole('button', { name: 'Cancel' }).click();
    await page.getByText('로그인을 마치지 못했습니다.', { exact: false }).waitFor();
    expect(page.url()).toBe(`${stage.stack.url}/usage`);
    expect(await audit(page)).toEqual([]);
    await introduce(page, 'kim');
    await heading(page, '토큰 사용량');
    await provider.away();
    await page.reload();
    await page.getByText('로그인 서비스에 연결하지 못했습니다.', { exact: false }).waitFor();
    await page.getByRole('button', { name: '로그인', exact: true }).click();
    await page.getByRole('alert').waitFor();
    expect(await audit(page)).toEqual([]);
    await provider.back();
    await page.reload();
    await heading(page, '토큰 사용량');
  });
});

describe('by one click, on the embedded stack', () => {
  let stage: Stage;
  let secret: string;
  const dataDir = mkdtempSync(join(tmpdir(), 'turnkeeper-demo-'));
  beforeAll(async () => {
    stage = await openStage({ TURNKEEPER_EMBEDDED: 'true', DATA_DIR: dataDir });
    ({ secret } = await mintDemoKeys(stage.stack.db.database, dataDir));
  });
  afterEach(async () => {
    expect(await stage.leave()).toEqual([]);
  });
  afterAll(async () => {
    await stage.close();
    rmSync(dataDir, { recursive: true });
  });

  test("the demo user chats and stays for a reload, and the demo admin finds the admins' pages", async () => {
    const page = await stage.visit(`/#demo=${secret}`);
    await page.getByRole('button', { name: '체험 사용자로 시작하기' }).waitFor();
    expect(page.url()).toBe(`${stage.stack.url}/`);
    expect(await audit(page)).toEqual([]);
    await page.getByRole('button', { name: '체험 사용자로 시작하기' }).click();
    await page.getByLabel('메시지', { exact: true }).fill('안녕');
    await page.keyboard.press('Enter');
    await page
      .getByRole('article', { name: '답변' })
      .getByText(/토큰 · gpt/)
      .waitFor();
    await page.reload();
    await page
      .getByRole('article', { name: '답변' })
      .getByText(/토큰 · gpt/)
      .waitFor();
    await page.getByRole('button', { name: '내 계정' }).click();
    await page.getByText('demo@turnkeeper.example').waitFor();
    expect(page.url()).toContain('/c/');
    await page.getByRole('menuitem', { name: '로그아웃' }).click();
    await page.getByRole('button', { name: '관리자로 둘러보기' }).click();
    // The admin would not find the user's conversation.
    expect(page.url()).toBe(`${stage.stack.url}/`);
    // The composer takes the focus when it appears, which closes an open menu.
    await page.getByLabel('메시지', { exact: true }).waitFor();
    await stage.settled(page);
    await page.getByRole('button', { name: '내 계정' }).click();
    await page.getByRole('menuitem', { name: '관리', exact: true }).click();
    await page.getByRole('heading', { name: '현황' }).waitFor();
  });

  test("a tab without the secret, or with an earlier start's, says which address to open, and goes on when that is opened in it", async () => {
    const page = await stage.visit('/usage');
    const hint = page.getByText('npm start가 마지막으로 출력한 주소를 열어 주세요.', { exact: false });
    const button = page.getByRole('button', { name: '관리자로 둘러보기' });
    await hint.waitFor();
    expect([await button.count(), await audit(page)]).toEqual([0, []]);
    await page.goto('/usage#demo=of-an-earlier-start');
    await button.click();
    await hint.waitFor();
    expect([page.url(), await button.count()]).toEqual([`${stage.stack.url}/usage`, 0]);
    await page.goto(`/usage#demo=${secret}`);
    await button.waitFor();
    await page.reload();
    await button.click();
    await page.getByRole('heading', { level: 1, name: '토큰 사용량' }).waitFor();
    expect(page.url()).toBe(`${stage.stack.url}/usage`);
  });
});
