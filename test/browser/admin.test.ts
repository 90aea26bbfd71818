import { afterAll, afterEach, beforeAll, expect, jest, test } from '@jest/globals';
import { audit } from './audit.ts';
import { openStage, type Stage } from './stage.ts';
import type { Person } from '../support/stack.ts';

jest.setTimeout(90_000);
let stage: Stage;
let admin: Person;
let person: Person;

beforeAll(async () => {
  stage = await openStage();
  [admin, person] = [await stage.stack.person('admin'), await stage.stack.person()];
  stage.stack.model.next({ status: 401, error: { code: 'invalid_api_key' } });
  await person.call('POST', '/api/chat/send', { message: '실패할 질문' });
  await person.call('POST', '/api/chat/send', { message: '답할 질문' });
});
afterEach(() => { expect(stage.complaints()).toEqual([]); });
afterAll(() => stage.close());

test('an admin finds why a turn failed: by its cause, in the list, on its timeline', async () => {
  const page = await stage.visitAs(admin, '/admin/turns');
  await page.getByRole('button', { name: /model_rejected 1/ }).click();
  await page.waitForURL(/code=model_rejected/);
  await page.reload();
  expect(await audit(page)).toEqual([]);
  await page.getByRole('link', { name: /^…/ }).click();
  await page.getByText('모델 호출', { exact: true }).first().waitFor();
  await page.getByText('401 invalid_api_key').waitFor();
  await page.getByText('차감된 토큰이 없습니다.').waitFor();
  await page.getByRole('button', { name: '내용 열기' }).click();
  await page.getByText('실패할 질문').waitFor();
  expect(await audit(page)).toEqual([]);
  await page.getByRole('link', { name: '감사 로그' }).click();
  await page.getByText('turn.read_content').waitFor();
  expect(await audit(page)).toEqual([]);
});

test('an admin replays a failed turn, which is answered and debited once', async () => {
  const { body: { items: [failed] } } = await admin.call('GET', '/api/admin/turns?state=failed');
  const page = await stage.visitAs(admin, `/admin/turns/${failed.turnId}`);
  const form = page.getByRole('form', { name: '다시 실행' });
  await form.getByLabel('사유').fill('시험 다시 실행');
  expect(await audit(page)).toEqual([]);
  await form.getByRole('button', { name: '다시 실행하기' }).click();
  await form.waitFor({ state: 'detached' });
  await page.getByText('완료', { exact: true }).waitFor();
  const { body } = await admin.call('GET', `/api/admin/turns/${failed.turnId}`);
  expect([body.state, body.ledgerEntries.length, body.replayedAt]).toEqual(['completed', 1, expect.any(String)]);
});

test('an admin finds a person, grants tokens once, suspends and resumes', async () => {
  const page = await stage.visitAs(admin, '/admin/users');
  await page.getByLabel('이메일 또는 번호').fill(String(person.userId));
  await page.getByRole('link', { name: `사용자 ${person.userId}` }).click();
  const grant = page.getByRole('form', { name: '토큰 지급' });
  await grant.getByLabel('지급할 토큰').fill('12345');
  await grant.getByLabel('사유').fill('시험 지급');
  await grant.getByRole('button', { name: '지급하기' }).click();
  await grant.getByText('12,345토큰을 지급했습니다.').waitFor();
  await page.getByRole('cell', { name: '시험 지급' }).waitFor();
  expect((await person.call('GET', '/api/ai-usage')).body.purchasedTokens).toBe(12_345);
  const suspension = page.getByRole('form', { name: '이용 정지' });
  await suspension.getByLabel('사유').fill('시험 정지');
  await suspension.getByRole('button', { name: '정지하기' }).click();
  await suspension.getByRole('button', { name: '정지 풀기' }).waitFor();
  expect(await audit(page)).toEqual([]);
  await suspension.getByLabel('사유').fill('시험 끝');
  await suspension.getByRole('button', { name: '정지 풀기' }).click();
  await suspension.getByRole('button', { name: '정지하기' }).waitFor();
});

test('an admin sees who uses how much, as of when, and has it computed anew', async () => {
  const page = await stage.visitAs(admin, '/admin');
  await page.getByRole('heading', { name: '사용률 분포' }).waitFor();
  await page.getByText(/기준$/).waitFor();
  await page.getByRole('button', { name: '새로 계산' }).click();
  await page.getByLabel('이메일 또는 번호').fill(String(person.userId));
  await page.waitForURL(new RegExp(`who=${person.userId}`));
  await page.getByRole('link', { name: `사용자 ${person.userId}`, exact: true }).waitFor();
  expect(await audit(page)).toEqual([]);
});

test('for anybody else there are no such pages', async () => {
  const page = await stage.visitAs(person, '/admin/users');
  await page.getByText('페이지를 찾을 수 없습니다').waitFor();
});
