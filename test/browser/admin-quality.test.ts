import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { sql } from 'kysely';
import { audit } from './audit.ts';
import { failTurns } from './failed-turns.ts';
import { missedByTab } from './keyboard.ts';
import { askAgain, openStage, type Stage } from './stage.ts';
import type { Person } from '../support/stack.ts';
import { until } from '../support/until.ts';

let stage: Stage;
let admin: Person;
let person: Person;
let turn: string;
let redrive: string;

beforeAll(async () => {
  stage = await openStage();
  [admin, person] = [await stage.stack.person('admin'), await stage.stack.person()];
  turn = (await person.call('POST', '/api/chat/send', { message: '답할 질문' })).body.turnId;
  const { sql: on } = stage.stack.db.database;
  await sql`insert into users (email) select 'reader' || n || '@example.com' from generate_series(1, 60) n`.execute(on);
  await sql`insert into accounts (user_id) select id from users where email like 'reader%'`.execute(on);
  await sql`insert into conversations (id, user_id, last_sequence, listed_at) select gen_random_uuid(), ${person.userId}, 60, now()`.execute(
    on,
  );
  await sql`insert into turns (id, user_id, account_id, conversation_id, sequence, state, model, body_hash, question, question_tokens, encoding, error_code, ever_admitted, admitted_at, ended_at, created_at)
    select gen_random_uuid(), c.user_id, a.id, c.id, n, 'failed', 'paged', '\\x00', 'q', 1, 'o200k_base', 'interrupted', true, now(), now(), now() - n * interval '1 minute'
    from conversations c join accounts a on a.user_id = c.user_id, generate_series(1, 60) n where c.last_sequence = 60`.execute(
    on,
  );
  await Promise.all(
    Array.from({ length: 60 }, (_, n) =>
      admin.call(
        'POST',
        `/api/admin/users/${person.userId}/grants`,
        { tokens: n + 1, reason: `지급 ${n}` },
        { 'idempotency-key': `page-${n}` },
      ),
    ),
  );
  const guest = await stage.stack.person();
  await failTurns(stage.stack, guest, 27);
  const {
    body: { redriveId },
  } = await admin.call('POST', '/api/admin/turns/replay', {
    filter: { userId: guest.userId },
    reason: '쪽',
    ratePerSecond: 50,
    confirm: 27,
  });
  redrive = redriveId;
});
afterEach(async () => {
  expect(await stage.leave()).toEqual([]);
});
afterAll(() => stage.close());

describe('tables page on the server', () => {
  test.each<[string, string, () => string, string[], number]>([
    ['turns', '질문 기록', () => '/admin/turns?model=paged&state=failed', ['model=paged', 'state=failed'], 0],
    ['people', '사용자', () => '/admin/users?who=reader&suspended=false', ['who=reader', 'suspended=false'], 0],
    [
      'the audit log',
      '감사 로그',
      () => `/admin/audit?action=tokens.grant&target=user:${person.userId}`,
      ['action=tokens.grant'],
      4,
    ],
    ['a ledger', '원장', () => `/admin/users/${person.userId}`, [], 7],
    ['a redrive', '질문별 결과', () => `/admin/redrives/${redrive}`, [], 1],
  ])('%s: where one is stands in the address, beside the filter', async (_, name, path, kept, telling) => {
    const page = await stage.visitAs(admin, path());
    const table = page.getByRole('region', { name, exact: true });
    await table.getByRole('row').nth(5).waitFor();
    const rows = async () => (await table.getByRole('row').allInnerTexts()).map((row) => row.split('\t')[telling]);
    const first = await rows();
    await page.getByRole('button', { name: '다음' }).click();
    await page.waitForURL(/cursor=/);
    await until(async () => (await rows())[1] !== first[1]);
    const second = await rows();
    expect(second.slice(1).filter((row) => first.includes(row))).toEqual([]);
    for (const part of kept) expect(decodeURIComponent(page.url())).toContain(part);
    await page.reload();
    await table.getByRole('row').nth(1).waitFor();
    expect((await rows())[1]).toBe(second[1]);
    expect(await audit(page)).toEqual([]);
    await page.goBack();
    await until(async () => (await rows())[1] === first[1]);
    expect(page.url()).not.toContain('cursor');
  });
});

// Covers each language with each width, and each width with each scheme, on every page.
test.each<['ko-KR' | 'en-US', number, 'light' | 'dark', string, () => string]>([
  ['ko-KR', 390, 'dark', 'statistics', () => '/admin/stats'],
  ['en-US', 1280, 'light', 'turns, about to be replayed', () => '/admin/turns?replay=many&span=week'],
  ['en-US', 390, 'light', 'a redrive', () => `/admin/redrives/${redrive}`],
  ['ko-KR', 1280, 'dark', 'a person', () => `/admin/users/${person.userId}`],
  ['en-US', 390, 'dark', 'the audit log', () => '/admin/audit'],
  ['ko-KR', 390, 'light', 'a turn', () => `/admin/turns/${turn}`],
  ['en-US', 1280, 'dark', 'redrives', () => '/admin/redrives'],
  ['ko-KR', 390, 'dark', 'turns', () => '/admin/turns?state=failed'],
  ['en-US', 390, 'dark', 'a person', () => `/admin/users/${person.userId}`],
  ['ko-KR', 390, 'light', 'people', () => '/admin/users'],
])(
  '%s at %i px, %s: %s has no fault that axe knows, nothing sticks out, and the keyboard reaches it all',
  async (locale, width, colorScheme, _, path) => {
    await admin.call('PATCH', '/api/me', { locale: locale.slice(0, 2) });
    const page = await stage.visitAs(admin, path(), { viewport: { width, height: 800 }, locale, colorScheme });
    await page.getByRole('heading', { level: 1 }).waitFor();
    await page.locator('main').getByRole('table').or(page.locator('main dl')).first().waitFor();
    await until(
      async () =>
        (await page
          .locator('main')
          .getByRole('status')
          .getByText(/^(불러오는 중|Loading)$/)
          .count()) === 0,
    );
    expect(await audit(page)).toEqual([]);
    expect(
      await page.evaluate(() => [
        document.documentElement.scrollWidth <= innerWidth,
        document.querySelector('main')?.scrollWidth === document.querySelector('main')?.clientWidth,
        document.documentElement.scrollHeight <= innerHeight,
      ]),
    ).toEqual([true, true, true]);
    const controls = page
      .locator('main')
      .locator(':is(button, a[href], input, select, summary):visible:not(:disabled)');
    await page.getByRole('heading', { level: 1 }).focus();
    expect([await missedByTab(controls), (await controls.count()) > 3]).toEqual([[], true]);
  },
);

test('what cannot be shown says so on each page, and is shown when it is asked for again', async () => {
  await admin.call('PATCH', '/api/me', { locale: 'ko' });
  const page = await stage.visitAs(admin, '/preferences');
  await page.getByRole('heading', { level: 1 }).waitFor();
  /** Follows a link of the page, so that only what the new page shows is loaded. */
  const go = (path: string) =>
    page.evaluate((to) => {
      history.pushState(null, '', to);
    }, path);
  for (const path of [
    '/admin',
    '/admin/stats',
    '/admin/turns',
    `/admin/turns/${turn}`,
    '/admin/redrives',
    `/admin/redrives/${redrive}`,
    '/admin/users',
    `/admin/users/${person.userId}`,
    '/admin/audit',
  ]) {
    await page.route('**/api/admin/**', (route) =>
      route.fulfill({
        status: 409,
        contentType: 'application/json',
        body: JSON.stringify({ code: 'tokens_held', message: '지금은 보여 드릴 수 없습니다.', requestId: '' }),
      }),
    );
    await go(path);
    await page.getByRole('alert').getByText('지금은 보여 드릴 수 없습니다.').first().waitFor();
    expect([path, await audit(page)]).toEqual([path, []]);
    await page.unroute('**/api/admin/**');
    await askAgain(page);
    await page.getByRole('alert').first().waitFor({ state: 'detached' });
    await page.locator('main').getByRole('table').or(page.locator('main dl')).first().waitFor();
  }
  for (const path of [
    '/admin/turns/0198c0de-0000-7000-8000-000000000000',
    '/admin/redrives/0198c0de-0000-7000-8000-000000000000',
    '/admin/users/999999999',
    '/admin/users/none',
  ]) {
    await go(path);
    await page.getByRole('alert').waitFor();
    expect(await audit(page)).toEqual([]);
  }
});
