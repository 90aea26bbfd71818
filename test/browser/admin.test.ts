import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { audit } from './audit.ts';
import { failTurns } from './failed-turns.ts';
import { focused, openStage, type Stage } from './stage.ts';
import type { Person } from '../support/stack.ts';
import { until } from '../support/until.ts';

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
afterEach(async () => {
  expect(await stage.leave()).toEqual([]);
});
afterAll(() => stage.close());

test('an admin finds why a turn failed: by its cause, in the list, on its timeline', async () => {
  const page = await stage.visitAs(admin, '/admin/turns');
  await page
    .getByRole('list', { name: '실패 원인' })
    .getByRole('button', { name: /모델이 요청을 거절 1/ })
    .click();
  await page.waitForURL(/code=model_rejected/);
  await page.reload();
  await stage.settled(page);
  expect(await audit(page)).toEqual([]);
  await page.getByRole('link', { name: /^…/ }).click();
  await page.getByText('모델 호출', { exact: true }).first().waitFor();
  await page.getByText('401 invalid_api_key').waitFor();
  await page.getByText('차감된 토큰이 없습니다.').waitFor();
  await page.getByRole('button', { name: '내용 열기' }).click();
  await page.getByText('실패할 질문').waitFor();
  expect(await audit(page)).toEqual([]);
  await page.getByRole('link', { name: '감사 로그' }).click();
  await page.getByRole('cell', { name: '질문과 답변 열람' }).waitFor();
  expect(await audit(page)).toEqual([]);
});

test('an admin sees what turns failed of over time, by the filter, as rows of bars and as a table', async () => {
  const page = await stage.visitAs(admin, `/admin/turns?userId=${person.userId}`);
  const chart = page.getByRole('region', { name: '실패 추이' });
  await chart.getByRole('img', { name: /^모델이 요청을 거절: 총 1건/ }).waitFor();
  await chart.getByText('표로 보기').click();
  await chart.getByRole('columnheader', { name: '모델이 요청을 거절' }).waitFor();
  expect(await audit(page)).toEqual([]);
  await chart.getByLabel('기간').selectOption({ label: '최근 90일' });
  await page.waitForURL(/span=quarter/);
  await chart.getByRole('columnheader', { name: '날짜' }).waitFor();
  await chart.getByRole('button', { name: /모델이 요청을 거절/ }).click();
  await page.waitForURL(/code=model_rejected/);
  await page.getByLabel('시작일').fill('2026-01-01');
  await page.getByLabel('종료일').fill('2026-01-03');
  await chart.getByText('이 기간에 실패한 질문이 없습니다.').waitFor();
  await page.getByText('조건에 맞는 질문이 없습니다.').waitFor();
  expect(await audit(page)).toEqual([]);
});

test('an admin replays a failed turn, which is answered and debited once', async () => {
  const {
    body: {
      items: [failed],
    },
  } = await admin.call('GET', '/api/admin/turns?state=failed');
  const page = await stage.visitAs(admin, `/admin/turns/${failed.turnId}`);
  const form = page.getByRole('form', { name: '다시 실행' });
  await form.getByLabel('사유').fill('시험 다시 실행');
  expect(await audit(page)).toEqual([]);
  await form.getByRole('button', { name: '다시 실행하기' }).click();
  await form.waitFor({ state: 'detached' });
  await page.getByText('완료', { exact: true }).first().waitFor();
  const { body } = await admin.call('GET', `/api/admin/turns/${failed.turnId}`);
  expect([body.state, body.ledgerEntries.length, body.replayedAt]).toEqual(['completed', 1, expect.any(String)]);
});

async function debitsOf({ userId }: Person): Promise<number> {
  return (await admin.call('GET', `/api/admin/users/${userId}`)).body.ledger.items.filter(
    ({ kind }: { kind: string }) => kind === 'debit',
  ).length;
}

describe('an admin replays many turns of a filter', () => {
  test('sees how many and which, is asked again when there are more by then, and follows it to its end', async () => {
    const guest = await stage.stack.person();
    await failTurns(stage.stack, guest, 3);
    const page = await stage.visitAs(admin, `/admin/turns?userId=${guest.userId}`);
    const open = page.getByRole('button', { name: '실패한 질문 일괄 다시 실행' });
    await open.click();
    const panel = page.getByRole('region', { name: '실패한 질문 일괄 다시 실행' });
    expect(await panel.getByLabel('사유').evaluate((field) => field === document.activeElement)).toBe(true);
    await page.keyboard.type('제공자 장애 복구');
    await panel.getByLabel('초당 건수').fill('50');
    await page.keyboard.press('Enter');
    await panel.getByText('실패한 질문 3건 중 3건을 다시 실행합니다.').waitFor();
    expect(await panel.getByRole('link', { name: /^…/ }).count()).toBe(3);
    expect(await audit(page)).toEqual([]);
    expect(await debitsOf(guest)).toBe(0);
    await failTurns(stage.stack, guest, 1);
    await panel.getByRole('button', { name: '지금 다시 실행 (3건)' }).click();
    await panel.getByText('그 사이 3건에서 4건으로 바뀌었습니다. 다시 확인해 주세요.').waitFor();
    expect(await audit(page)).toEqual([]);
    // A plan holds only for its own filter: with another limit it disappears.
    await panel.getByLabel('최대 건수').fill('2');
    await panel.getByRole('button', { name: /지금 다시 실행/ }).waitFor({ state: 'detached' });
    await panel.getByRole('button', { name: '몇 건인지 확인' }).click();
    await panel.getByText('최대 건수를 넘어 제외: 2건').waitFor();
    await panel.getByLabel('최대 건수').fill('4');
    await panel.getByRole('button', { name: '몇 건인지 확인' }).click();
    await panel.getByRole('button', { name: '지금 다시 실행 (4건)' }).click();
    await page.waitForURL(/\/admin\/redrives\/[0-9a-f-]{36}$/);
    await page.getByText('모두 끝났습니다. 완료 4건, 다시 실패 0건, 중지 0건, 건너뜀 0건입니다.').waitFor();
    const bar = page.getByRole('progressbar', { name: '진행' });
    expect([
      await bar.getAttribute('aria-valuenow'),
      await bar.getAttribute('aria-valuemax'),
      await bar.getAttribute('aria-valuetext'),
    ]).toEqual(['4', '4', '4건 중 4건 끝남']);
    await page.getByText('제공자 장애 복구').waitFor();
    expect(await page.getByRole('cell', { name: '완료' }).count()).toBe(4);
    expect(await audit(page)).toEqual([]);
    expect(await debitsOf(guest)).toBe(4);
    await page.getByRole('navigation', { name: '관리 메뉴' }).getByRole('link', { name: '일괄 다시 실행' }).click();
    await page.getByRole('cell', { name: '제공자 장애 복구' }).waitFor();
    expect(await audit(page)).toEqual([]);
  });

  test('pauses it, lets it go on and cancels it half way, and then sees exactly what was done and what was not', async () => {
    const guest = await stage.stack.person();
    await failTurns(stage.stack, guest, 12);
    const {
      body: { redriveId },
    } = await admin.call('POST', '/api/admin/turns/replay', {
      filter: { userId: guest.userId },
      reason: '하나씩',
      ratePerSecond: 1,
      confirm: 12,
    });
    const page = await stage.visitAs(admin, `/admin/redrives/${redriveId}`);
    await page.getByRole('button', { name: '일시 정지' }).click();
    await page.getByText('일시 정지했습니다.').waitFor();
    expect(await audit(page)).toEqual([]);
    await page.getByRole('button', { name: '취소', exact: true }).press('Enter');
    const dialog = page.getByRole('alertdialog', { name: '다시 실행을 취소할까요?' });
    expect(await audit(page)).toEqual([]);
    await page.keyboard.press('Escape');
    await dialog.waitFor({ state: 'detached' });
    await page.getByRole('button', { name: '이어서 실행' }).click();
    await page.getByText('오래된 질문부터 다시 실행하고 있습니다.').waitFor();
    await page.getByRole('button', { name: '취소', exact: true }).click();
    await dialog.getByLabel('사유 (선택)').fill('그만');
    await dialog.getByRole('button', { name: '취소하기' }).click();
    await page.getByText(/^취소했습니다\./).waitFor();
    const {
      body: { progress },
    } = await admin.call('GET', `/api/admin/redrives/${redriveId}`);
    expect([
      progress.waiting > 0,
      progress.running,
      progress.completed + progress.waiting,
      await debitsOf(guest),
    ]).toEqual([true, 0, 12, progress.completed]);
    await page.getByRole('button', { name: `실행 안 함 ${progress.waiting}` }).click();
    await page.waitForURL(/state=waiting/);
    // The old rows stay until the filter's rows have come.
    await page.getByRole('cell', { name: '완료' }).first().waitFor({ state: 'detached' });
    expect(await page.getByRole('cell', { name: '실행 안 함' }).count()).toBe(progress.waiting);
    expect(await page.getByRole('cell', { name: '완료' }).count()).toBe(0);
    expect(await page.getByRole('button', { name: /일시 정지|이어서 실행|^취소$/ }).count()).toBe(0);
    expect(
      (await admin.call('GET', `/api/admin/audit?target=redrive:${redriveId}`)).body.items.map(
        ({ action, reason }: { action: string; reason: string | null }) => [action, reason],
      ),
    ).toEqual([
      ['redrive.cancel', '그만'],
      ['redrive.resume', null],
      ['redrive.pause', null],
      ['redrive.start', '하나씩'],
    ]);
  });

  test('only of failed ones, and is told why nothing can be started', async () => {
    const page = await stage.visitAs(admin, `/admin/turns?state=completed&replay=many&userId=${person.userId}`);
    await page.getByText('실패한 질문만 다시 실행할 수 있습니다.').waitFor();
    await page.getByRole('button', { name: '실패한 질문 보기' }).click();
    await page.waitForURL(/state=failed/);
    const panel = page.getByRole('region', { name: '실패한 질문 일괄 다시 실행' });
    await panel.getByLabel('사유').fill('없음');
    await page.getByLabel('모델').fill('none');
    await page.waitForURL(/model=none/);
    await panel.getByRole('button', { name: '몇 건인지 확인' }).click();
    await panel.getByText('실패한 질문 0건 중 다시 실행할 질문이 없습니다.').waitFor();
    expect(await panel.getByRole('button', { name: /지금 다시 실행/ }).count()).toBe(0);
    await page.getByText('조건에 맞는 질문이 없습니다.').waitFor();
    expect(await audit(page)).toEqual([]);
    await page.getByRole('button', { name: '필터 지우기', exact: true }).click();
    await page.waitForURL((url) => !/state|model|userId/.test(url.search));
  });
});

test('an admin finds a person, grants tokens once, suspends and resumes', async () => {
  const page = await stage.visitAs(admin, '/admin/users');
  await page.getByLabel('사용자 찾기').fill(String(person.userId));
  await page.getByRole('link', { name: `사용자 ${person.userId}` }).click();
  await page.getByRole('region', { name: '예약된 작업' }).getByText('매달 초기화').waitFor();
  expect(await page.getByRole('region', { name: '예약된 작업' }).innerText()).toMatch(/서울 시간[\s\S]*후\)/);
  await page.getByText('지금 확보한 토큰이 없습니다.').waitFor();
  const grant = page.getByRole('form', { name: '토큰 지급' });
  await grant.getByLabel('지급할 토큰').fill('12345');
  await grant.getByLabel('사유').fill('시험 지급');
  await grant.getByRole('button', { name: '지급하기' }).click();
  await grant.getByText('12,345토큰을 지급했습니다.').waitFor();
  await page.getByRole('row', { name: /지급 \+12,345 \+12,345 – – .*시험 지급/ }).waitFor();
  // A zero too many is asked about, in words, and a grant can be taken back from its row.
  await grant.getByLabel('지급할 토큰').fill('5000000000');
  await grant.getByLabel('사유').fill('실수 지급');
  await grant.getByRole('button', { name: '지급하기' }).click();
  const asking = page.getByRole('alertdialog', { name: '50억 토큰을 지급할까요?' });
  expect(await audit(page)).toEqual([]);
  await asking.getByRole('button', { name: '취소' }).click();
  await asking.waitFor({ state: 'detached' });
  await focused(grant.getByLabel('지급할 토큰'));
  expect((await person.call('GET', '/api/ai-usage')).body.purchasedTokens).toBe(12_345);
  await grant.getByLabel('지급할 토큰').fill('2000000');
  await grant.getByRole('button', { name: '지급하기' }).click();
  await page
    .getByRole('alertdialog', { name: '200만 토큰을 지급할까요?' })
    .getByRole('button', { name: '지급하기' })
    .click();
  await page.getByRole('button', { name: '2,000,000토큰 지급 회수하기' }).click();
  const back = page.getByRole('alertdialog', { name: '지급한 토큰을 회수할까요?' });
  await back.getByText('200만 토큰을 회수합니다.').waitFor();
  await back.getByLabel('사유').fill('되돌림');
  await back.getByRole('button', { name: '회수하기' }).click();
  await page.getByRole('row', { name: /회수 -2,000,000 -2,000,000 – – .*되돌림/ }).waitFor();
  await page.getByRole('row', { name: /실수 지급 회수함/ }).waitFor();
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
  const page = await stage.visitAs(admin, '/admin/stats');
  await page.getByRole('heading', { name: '사용률 분포' }).waitFor();
  await page.getByText(/기준$/).waitFor();
  await page.getByRole('button', { name: '새로고침' }).click();
  const top = page.getByRole('region', { name: '많이 사용한 사용자' });
  const left = async () =>
    (await top.getByRole('row').allInnerTexts()).slice(1).map((row) => Number(row.split('\t')[3]?.replaceAll(',', '')));
  await until(async () => (await left()).some((tokens) => tokens > 110_000));
  await page.getByLabel('정렬').selectOption({ label: '남은 토큰 적은 순' });
  await page.waitForURL(/order=remainingTokens/);
  await page.reload();
  await top.getByRole('row').nth(1).waitFor();
  expect(await left()).toEqual((await left()).sort((a, b) => a - b));
  expect((await left()).at(-1)).toBeGreaterThan(110_000);
  await page.getByLabel('사용자 찾기').fill(String(person.userId));
  await page.waitForURL(new RegExp(`who=${person.userId}`));
  await page.getByRole('link', { name: `사용자 ${person.userId}`, exact: true }).waitFor();
  expect(await audit(page)).toEqual([]);
});

test('for anybody else there are no such pages', async () => {
  const page = await stage.visitAs(person, '/admin/users');
  await page.getByText('페이지를 찾을 수 없습니다').waitFor();
});
