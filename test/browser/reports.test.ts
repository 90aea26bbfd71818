import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { sql } from 'kysely';
import { createToken } from '../../db/people/key-holders.ts';
import { FIRST_ACCOUNT, seedMonths } from '../db/seed-months.ts';
import { personAtUrl, type Person } from '../support/stack.ts';
import { expectToFit } from './audit.ts';
import { picture } from './picture.ts';
import { openStage, type Stage } from './stage.ts';

let stage: Stage;
/** Of two languages, in Seoul. */
let korean: Person;
let english: Person;

beforeAll(async () => {
  stage = await openStage();
  const { database } = stage.stack.db;
  await seedMonths(database, { accounts: 20, seed: 0.7, most: 120 });
  const inSeoul = await sql<{
    id: number;
  }>`select a.id::float8 as id from accounts a join periods p on p.account_id = a.id
    where a.id >= ${FIRST_ACCOUNT} and a.time_zone = 'Asia/Seoul' and p.label = '2025-12' order by p.used_tokens desc limit 2`.execute(
    database.sql,
  );
  const people = await Promise.all(
    inSeoul.rows.map(async ({ id }) =>
      personAtUrl(stage.stack.url, id, (await createToken(database, { userId: id })).token),
    ),
  );
  [korean, english] = people as [Person, Person];
  await sql`update users set locale = 'en' where id = ${english.userId}`.execute(database.sql);
});
afterEach(async () => {
  expect(await stage.leave()).toEqual([]);
});
afterAll(() => stage.close());

const PATH = '/usage/reports/2025-12';

test('a month’s report is found from the usage page, fits every screen, is read as tables and saved as a file', async () => {
  const page = await stage.visitAs(korean, '/usage');
  await page.getByRole('link', { name: '월별 리포트' }).click();
  await page.getByRole('link', { name: /2025년 12월/ }).click();
  await page.getByRole('heading', { name: '2025년 12월 사용 리포트' }).waitFor();
  await page.getByText(/까지, 서울 시간 기준/).waitFor();
  const { body } = await korean.call('GET', '/api/reports/2025-12');
  await page.getByText(Number(body.usage.usedTokens).toLocaleString('ko'), { exact: true }).first().waitFor();
  const heat = page.getByRole('table', { name: /요일과 시간대별로 사용한 토큰/ });
  expect(await heat.getByRole('row').count()).toBe(8);
  const [first] = body.hours as { weekday: number; hour: number; debitedTokens: number }[];
  const cell = heat.getByRole('row').nth(first!.weekday).getByRole('cell').nth(first!.hour);
  expect(await cell.innerText()).toBe(first!.debitedTokens.toLocaleString('ko'));
  for (const [width, height] of [
    [390, 844],
    [320, 640],
    [1280, 800],
  ] as const) {
    await page.setViewportSize({ width, height });
    await expectToFit(page, `report-ko-${width}`);
  }
  const saving = page.waitForEvent('download');
  await page.getByRole('button', { name: 'PDF로 저장' }).click();
  expect((await saving).suggestedFilename()).toBe('turnkeeper-report-2025-12.pdf');
  // On paper there is the report alone, and all of it.
  await page.emulateMedia({ media: 'print' });
  expect(await page.getByRole('button', { name: '인쇄' }).isVisible()).toBe(false);
  expect(
    await page.evaluate(
      () => document.querySelector('main')!.scrollHeight <= document.querySelector('main')!.clientHeight,
    ),
  ).toBe(true);
  await expectToFit(page, 'report-ko-print');
  // No sheet is empty, and none ends early for a table that is longer than a sheet anyway.
  const sheets = (await page.pdf({ format: 'A4' })).toString('latin1').match(/\/Type \/Page\b/g) ?? [];
  expect([sheets.length > 1, sheets.length < 6]).toEqual([true, true]);
  await page.emulateMedia({ media: 'screen' });
});

test('in English and in the dark; a month that is not over says so, and the list has every month', async () => {
  const page = await stage.visitAs(english, PATH, {
    locale: 'en-US',
    colorScheme: 'dark',
    viewport: { width: 390, height: 844 },
  });
  await page.getByRole('heading', { name: 'Usage report, December 2025' }).waitFor();
  await page.getByRole('heading', { name: 'Costliest messages' }).waitFor();
  await expectToFit(page, 'report-en-dark-390');
  await page.setViewportSize({ width: 320, height: 640 });
  await expectToFit(page, 'report-en-dark-320');
  const tables = page.getByRole('group').filter({ has: page.getByRole('table') });
  await tables.nth(2).scrollIntoViewIfNeeded();
  await picture(page, 'report-tables-en-dark-320');
  // Each reads without scrolling sideways, and is still a table with its columns for who hears it.
  expect(await tables.evaluateAll((all) => all.filter((one) => one.scrollWidth > one.clientWidth).length)).toBe(0);
  const models = page.getByRole('table').filter({ has: page.getByRole('columnheader', { name: 'Reasoning' }) });
  expect([await tables.count(), (await models.getByRole('row').count()) > 1]).toEqual([4, true]);
  await page.setViewportSize({ width: 1280, height: 800 });
  await expectToFit(page, 'report-en-dark-1280');
  await page.getByRole('link', { name: 'All months' }).click();
  await page.getByRole('link', { name: /October 2025/ }).waitFor();
  await expectToFit(page, 'reports-en-dark-1280');
  await page.goto('/usage/reports/2999-01');
  await page.getByText('There’s no report for this month.').waitFor();
  await expectToFit(page, 'report-en-not-over');
  await page.goto('/usage/reports/december');
  await page.getByRole('heading', { name: 'Page not found' }).waitFor();
});

test('admins read the operator’s report of the month, on a phone and a screen', async () => {
  const admin = await stage.stack.person('admin');
  const page = await stage.visitAs(admin, '/admin/reports');
  await page.getByRole('link', { name: '2025년 12월' }).click();
  await page.getByRole('heading', { name: '2025년 12월 운영 리포트' }).waitFor();
  await page.getByRole('heading', { name: '모델별 오류' }).waitFor();
  await expectToFit(page, 'operator-ko-1280');
  await page.setViewportSize({ width: 390, height: 844 });
  await expectToFit(page, 'operator-ko-390');
});
