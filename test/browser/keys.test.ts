import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { personAtUrl } from '../support/stack.ts';
import { expectToFit } from './audit.ts';
import { picture } from './picture.ts';
import { focused, openStage, type Stage } from './stage.ts';

let stage: Stage;
beforeAll(async () => {
  stage = await openStage();
});
afterEach(async () => {
  expect(await stage.leave()).toEqual([]);
});
afterAll(() => stage.close());

const PHONE = { width: 390, height: 844 };

test('a key is made, its secret shows once with the lines to paste, and what it used shows; it is changed, rotated, revoked', async () => {
  const person = await stage.stack.person();
  const page = await stage.visitAs(person, '/keys', { permissions: ['clipboard-read', 'clipboard-write'], once: true });
  await page.getByText('아직 만든 키가 없습니다').waitFor();
  await picture(page, 'keys-empty-ko-1280');
  await expectToFit(page);

  await page.getByRole('button', { name: '키 만들기' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('이름').fill('LibreChat 서버');
  await dialog.getByLabel('OpenAI 호환 API').uncheck();
  await dialog.getByRole('button', { name: '만들기', exact: true }).click();
  await dialog.getByText('권한을 하나 이상 골라 주세요.').waitFor();
  await dialog.getByLabel('OpenAI 호환 API').check();
  await dialog.getByLabel('모든 모델').uncheck();
  await dialog.getByLabel('gpt-5-mini').check();
  await dialog.getByLabel('사용 한도').selectOption('달마다');
  await dialog.getByLabel('한도 (토큰)').fill('20000');
  await picture(page, 'keys-make-ko-1280');
  await expectToFit(page);
  await dialog.getByRole('button', { name: '만들기', exact: true }).click();

  await dialog.getByText('LibreChat 서버 키를 만들었습니다').waitFor();
  const secret = await dialog.getByLabel('비밀 키', { exact: true }).inputValue();
  expect(secret).toMatch(/^tk_[\w-]{43}$/);
  await dialog.getByRole('button', { name: '비밀 키 복사' }).click();
  expect(await page.evaluate(() => navigator.clipboard.readText())).toBe(secret);
  for (const client of ['openai-node', 'openai-python', 'ai-sdk', 'langchain-js', 'librechat', 'open-webui']) {
    await dialog.getByLabel('프로그램', { exact: true }).selectOption(client);
    const code = await dialog.locator('pre').innerText();
    for (const part of [secret, 'gpt-5-mini', `${new URL(page.url()).origin}/v1`])
      expect([client, code]).toEqual([client, expect.stringContaining(part)]);
  }
  await picture(page, 'keys-secret-ko-1280');
  await expectToFit(page);
  // A click beside the dialog does not lose what shows only once.
  await page.mouse.click(5, 5);
  await dialog.getByRole('button', { name: '보관했습니다' }).click();
  await focused(page.getByRole('button', { name: '키 만들기' }));
  expect(await page.content()).not.toContain(secret);

  const held = personAtUrl(stage.stack.url, person.userId, secret);
  const ask = { model: 'gpt-5-mini', messages: [{ role: 'user', content: 'hi' }], max_tokens: 300 };
  expect((await held.call('POST', '/v1/chat/completions', ask)).status).toBe(200);
  await page.reload();
  const card = page.getByRole('article', { name: 'LibreChat 서버' });
  await card.getByText(/이번 달 20,000토큰 중 \d+토큰 사용 · 질문 1건/).waitFor();
  await card.getByText('127.0.0.0/24').waitFor();

  await card.getByRole('button', { name: '수정' }).click();
  await dialog.getByLabel('이름').fill('서버');
  await dialog.getByLabel('한도 (토큰)').fill('1');
  await dialog.getByRole('button', { name: '저장' }).click();
  const renamed = page.getByRole('article', { name: '서버', exact: true });
  await renamed.getByText('한도에 도달해 더 사용할 수 없습니다').waitFor();
  await focused(renamed.getByRole('button', { name: '수정' }));
  await expectToFit(page);

  await renamed.getByRole('button', { name: '교체' }).click();
  const asks = page.getByRole('alertdialog');
  await asks.getByLabel('지금 쓰는 비밀 키').selectOption('1시간 더 사용');
  await expectToFit(page);
  await asks.getByRole('button', { name: '교체' }).click();
  await dialog.getByText(/이전 비밀 키도 .+까지 쓸 수 있습니다/).waitFor();
  expect(await dialog.getByLabel('비밀 키', { exact: true }).inputValue()).not.toBe(secret);
  await dialog.getByRole('button', { name: '보관했습니다' }).click();
  await renamed.getByText(/까지 유효/).waitFor();
  await focused(renamed.getByRole('button', { name: '교체' }));
  await picture(page, 'keys-list-ko-1280');

  await renamed.getByRole('button', { name: '폐기' }).click();
  await page.keyboard.press('Escape');
  await asks.waitFor({ state: 'detached' });
  await focused(renamed.getByRole('button', { name: '폐기' }));
  expect((await held.call('GET', '/v1/models')).status).toBe(200);
  await renamed.getByRole('button', { name: '폐기' }).click();
  await asks.getByRole('button', { name: '폐기' }).click();
  await page.getByText('아직 만든 키가 없습니다').waitFor();
  await focused(page.getByRole('button', { name: '키 만들기' }));
  expect((await held.call('GET', '/v1/models')).status).toBe(401);
  await page.getByText('폐기한 키', { exact: true }).click();
  await renamed.getByText('폐기됨').waitFor();
});

test('on a phone and in English by the keyboard alone; the page is reached from the menu of the account', async () => {
  const person = await stage.stack.person();
  await person.call('PATCH', '/api/me', { locale: 'en' });
  for (const name of ['a name that is as long as a name of a key of somebody who explains a lot may well be', 'short'])
    await person.call('POST', '/api/keys', { name, capTokens: 1_000_000, models: ['gpt-4.1-mini', 'gpt-5-mini'] });
  const page = await stage.visitAs(person, '/', { viewport: PHONE });
  await page.getByRole('button', { name: 'Your account' }).click();
  await page.getByRole('menuitem', { name: 'API keys' }).click();
  await page.getByRole('heading', { name: 'API keys', level: 1 }).waitFor();
  await page.getByRole('article', { name: 'short' }).waitFor();
  await picture(page, 'keys-list-en-390');
  await expectToFit(page);
  await page.getByRole('button', { name: 'Create key' }).focus();
  await page.keyboard.press('Enter');
  const dialog = page.getByRole('dialog');
  await dialog.waitFor();
  await dialog.getByLabel('Name').focus();
  await page.keyboard.type('by keyboard');
  await picture(page, 'keys-make-en-390');
  await page.keyboard.press('Enter');
  await dialog.getByText('by keyboard was created').waitFor();
  await picture(page, 'keys-secret-en-390');
  await expectToFit(page);
  await page.keyboard.press('Escape');
  await page.getByRole('article', { name: 'by keyboard' }).waitFor();
  await focused(page.getByRole('button', { name: 'Create key' }));
});

test('what cannot be had is said, with a way to try again', async () => {
  const person = await stage.stack.person();
  const page = await stage.visitAs(person, '/preferences', { once: true });
  await page.route('**/api/keys*', (route) => route.abort());
  await page.evaluate(() => {
    history.pushState(null, '', '/keys');
  });
  await page.getByRole('alert').getByText('서버에 연결하지 못했습니다').first().waitFor();
  await page.unroute('**/api/keys*');
  await page.getByRole('button', { name: '다시 시도' }).first().click();
  await page.getByText('아직 만든 키가 없습니다').waitFor();
  stage.complaints();
});
