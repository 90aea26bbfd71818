import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { sql } from 'kysely';
import { extractText, getDocumentProxy, getMeta } from 'unpdf';
import { eraseConversation } from '../../db/conversations/erase.ts';
import { tellReport } from '../../db/channels/tell-report.ts';
import { findDeliveries } from '../../db/channels/outbox.ts';
import { makeForecasts } from '../../db/reports/forecasts.ts';
import { getReport } from '../../db/reports/person/reports.ts';
import { dayOf, monthOf, startOfMonth } from '../../domain/period.ts';
import { dayAfter, monthBefore, morningOf } from '../../domain/reports/patterns.ts';
import { startDeliveries } from '../../operations/channels/start-deliveries.ts';
import { createLog } from '../../platform/telemetry/log.ts';
import { createDeliveryRuns } from '../../platform/temporal/delivery-runs.ts';
import { DAILY_REPORTS_ID, deliveryWorkflowId } from '../../workflows/contract/ids.ts';
import { createPerson, runTurn, type Person as Seeded } from '../db/fixture.ts';
import { atInstant, clockFrom } from '../support/clock.ts';
import { giveAddress, mailingBy, mailsOf, startTestMail, type TestMail } from '../support/mail.ts';
import { TestSchedule } from '../support/schedules.ts';
import { personAtUrl, startTestStack, type Person, type TestStack } from '../support/stack.ts';
import { until } from '../support/until.ts';

const DAY = 86_400_000;
let later = 0;
let mail: TestMail;
let stack: TestStack;
let seeded: Seeded;
let person: Person;
beforeAll(async () => {
  mail = await startTestMail();
  stack = await startTestStack(mailingBy(mail), { now: clockFrom(() => Date.now() + later) });
});
beforeEach(async () => {
  seeded = await createPerson(stack.db.database);
  person = personAtUrl(stack.url, seeded.userId, seeded.token);
});
afterAll(async () => {
  await stack.close();
  await mail.close();
});

const THIS = monthOf(Date.now(), 'Asia/Seoul');
const LAST = monthBefore(THIS);
const during = startOfMonth(LAST, 'Asia/Seoul') + 10 * DAY;
const turnThen = (used: number, message = '비밀 질문') =>
  runTurn(stack.db.database, seeded, { used, now: during, send: { message } });
const file = async (path: string, headers: Record<string, string> = {}) => {
  const response = await person.raw('GET', path, undefined, headers);
  return { status: response.status, headers: response.headers, bytes: Buffer.from(await response.arrayBuffer()) };
};
const textOf = async (bytes: Buffer) =>
  (await extractText(await getDocumentProxy(new Uint8Array(bytes)), { mergePages: true })).text.replaceAll(/\s+/g, ' ');

test('a month that is over is there as JSON, CSV and PDF with the same figures, and nobody else’s', async () => {
  await turnThen(1_234);
  const turnId = await turnThen(66_000, '아주 긴 비밀 질문');
  expect((await person.call('GET', '/api/reports')).body).toEqual({
    items: [{ label: LAST, turns: 2, usedTokens: 67_234 }],
    nextCursor: null,
  });
  const path = `/api/reports/${LAST}`;
  const { status, body } = await person.call('GET', path);
  expect([status, body.label, body.usage.turns, body.usage.usedTokens]).toEqual([200, LAST, 2, 67_234]);
  expect(body.costliest[0]).toMatchObject({ turnId, title: '아주 긴 비밀 질문', debitedTokens: 66_000 });
  expect(body.endsAt).toBe(new Date(startOfMonth(THIS, 'Asia/Seoul')).toISOString());

  const csv = await file(path, { accept: 'text/csv' });
  const lines = csv.bytes.toString('utf8').split('\r\n');
  expect(csv.headers.get('content-disposition')).toBe(`attachment; filename="turnkeeper-report-${LAST}.csv"`);
  expect(lines[0]).toBe('block,key,figure,value');
  expect(lines).toContain('usage,,usedTokens,67234');
  expect(lines).toContain(`costliest,${turnId},debitedTokens,66000`);
  expect(lines).toContain(`days,${dayOf(during, 'Asia/Seoul')},turns,2`);
  expect(csv.bytes.toString('utf8')).not.toContain('비밀');

  const pdf = await file(`${path}?format=pdf`, { accept: 'text/csv' });
  expect([pdf.status, pdf.headers.get('content-type')]).toEqual([200, 'application/pdf']);
  const korean = await textOf(pdf.bytes);
  for (const words of ['사용 패턴 분석 리포트', '67,234개', '요일과 시간대별 사용량', turnId])
    expect(korean).toContain(words);
  expect(korean).not.toContain('비밀');
  const source = pdf.bytes.toString('latin1');
  for (const mark of ['/MarkInfo', '/StructTreeRoot', '/Lang (ko-KR)', '/FontFile2']) expect(source).toContain(mark);
  const english = await file(`${path}?format=pdf`, { 'accept-language': 'en' });
  expect(await textOf(english.bytes)).toContain('At a glance');
  const { info } = await getMeta(await getDocumentProxy(new Uint8Array(english.bytes)));
  expect(info.CreationDate).toMatch(
    new RegExp(`^D:${new Date(body.endsAt as string).toISOString().slice(0, 10).replaceAll('-', '')}`),
  );

  const other = await createPerson(stack.db.database);
  const theirs = await personAtUrl(stack.url, other.userId, other.token).call('GET', path);
  expect([theirs.status, theirs.body.code]).toEqual([404, 'not_found']);
});

test('what is not over, or no month, is 404, and titles go with what was erased', async () => {
  const turnId = await turnThen(500);
  for (const label of [THIS, '2999-01', monthBefore(LAST), '2026-13', 'x'])
    for (const suffix of ['', '?format=csv', '?format=pdf']) {
      const { status, body } = await person.call('GET', `/api/reports/${label}${suffix}`);
      expect([label, suffix, status, body.code]).toEqual([label, suffix, 404, 'not_found']);
    }
  for (const path of [`/api/reports/${LAST}?format=xml`, '/api/reports?cursor=x'])
    expect([path, (await person.call('GET', path)).status]).toEqual([path, 400]);
  const [first] = (await person.call('GET', `/api/reports/${LAST}`)).body.costliest;
  expect(first).toMatchObject({ turnId, title: '비밀 질문' });
  await eraseConversation(stack.db.database, { conversationId: first.conversationId, userId: seeded.userId });
  expect((await person.call('GET', `/api/reports/${LAST}`)).body.costliest).toMatchObject([
    { turnId, title: null, conversationId: null },
  ]);
});

test('the reset makes the report and one mail with a link to it, however often it fires; who has switched it off gets none', async () => {
  // A zone in which it is past 9 o'clock, so that the mail leaves at once.
  const timeZone =
    ['Asia/Seoul', 'Europe/London', 'America/Los_Angeles'].find((zone) => morningOf(Date.now(), zone) <= Date.now()) ??
    '';
  const label = monthBefore(monthOf(Date.now(), timeZone));
  const now = startOfMonth(label, timeZone) + 10 * DAY;
  const reset = async (who: Seeded, times: number) => {
    const asPerson = personAtUrl(stack.url, who.userId, who.token);
    const address = await giveAddress(stack, asPerson);
    await runTurn(stack.db.database, who, { used: 4_321, now });
    // What is used now arms the schedule.
    await asPerson.call('POST', '/api/ai-usage/test-usage', { userId: who.userId, usagePercent: 1 });
    const schedule = TestSchedule.ofUser(stack, 'reset', who.userId);
    for (let time = 0; time < times; time++) await schedule.fire();
    return address;
  };
  const [loud, quiet] = [
    await createPerson(stack.db.database, { timeZone }),
    await createPerson(stack.db.database, { timeZone }),
  ];
  const preferences = { items: [{ kind: 'usage.report', channel: 'email', enabled: false }] };
  await personAtUrl(stack.url, quiet.userId, quiet.token).call('PUT', '/api/me/notification-preferences', preferences);
  const [address, silent] = [await reset(loud, 2), await reset(quiet, 1)];
  const { rows } =
    await sql`select 1 from usage_reports where label = ${label} and account_id in (${loud.accountId}, ${quiet.accountId})`.execute(
      stack.db.database.sql,
    );
  expect(rows).toHaveLength(2);
  const sent = () => mail.received.filter(({ to }) => to.includes(address));
  await until(() => sent().length > 0);
  expect(sent()[0]?.text).toContain(`https://chat.example/usage/reports/${label}`);
  expect(sent()[0]?.text).toContain('4,321개');
  const outbox = () => mailsOf(stack, personAtUrl(stack.url, loud.userId, loud.token));
  await until(async () => (await outbox()).every(({ state }) => state === 'delivered'));
  expect(sent()).toHaveLength(1);
  expect(mail.received.filter(({ to }) => to.includes(silent))).toEqual([]);
});

test('the mail waits for nine o’clock of the first on the account’s wall clock', async () => {
  const { database } = stack.db;
  await giveAddress(stack, person);
  await turnThen(100);
  const report = await getReport(database, { accountId: seeded.accountId, label: LAST });
  const first = startOfMonth(THIS, 'Asia/Seoul');
  const outward = { email: true, webhook: false };
  const atFour = first + 4 * 3_600_000;
  const ids = await atInstant(atFour, () => tellReport(database, { userId: seeded.userId, report, outward }));
  expect(ids).toHaveLength(1);
  expect(await atInstant(atFour, () => findDeliveries(database.sql, ids))).toMatchObject([{ waitMs: 5 * 3_600_000 }]);
  expect(await atInstant(first + 10 * 3_600_000, () => findDeliveries(database.sql, ids))).toMatchObject([
    { waitMs: 0 },
  ]);
  expect(await tellReport(database, { userId: seeded.userId, report, outward })).toEqual([]);
  // Its workflow begins then: until then it has nothing but its start.
  const deliveryRuns = createDeliveryRuns(stack.temporal, { taskQueuePrefix: stack.taskQueuePrefix });
  await atInstant(atFour, () =>
    startDeliveries({ database, deliveryRuns, log: createLog({ level: 'silent', name: 'reports-test' }) }, ids),
  );
  const workflow = stack.temporal.client.workflow.getHandle(deliveryWorkflowId(ids[0] ?? ''));
  expect((await workflow.describe()).historyLength).toBe(1);
  await workflow.terminate();
});

test('accounts at half of their tokens are forecast once a day, and the report says how far off that was', async () => {
  const { database } = stack.db;
  const below = await createPerson(database);
  await runTurn(database, below, { used: 49_999, now: during });
  await turnThen(50_000);
  const page = { after: Math.min(below.accountId, seeded.accountId) - 1, limit: 100 };
  const on = (day: number) => atInstant(during + day * DAY, () => makeForecasts(database, page));
  expect(await on(2)).toMatchObject({ accounts: 1, made: 1, last: seeded.accountId });
  expect(await on(2)).toMatchObject({ accounts: 1, made: 0 });
  expect(await on(3)).toMatchObject({ accounts: 1, made: 1 });
  const { rows } = await sql<{
    day: string;
    depletes: boolean;
  }>`select made_on::text as day, depletes_at is not null as depletes
    from forecasts where account_id = ${seeded.accountId} order by 1`.execute(database.sql);
  expect(rows.map(({ day }) => day)).toEqual([2, 3].map((day) => dayAfter(dayOf(during, 'Asia/Seoul'), day)));
  const { forecast } = (await person.call('GET', `/api/reports/${LAST}`)).body;
  expect(forecast).toMatchObject({ made: 2, depletedAt: null, medianErrorDays: expect.any(Number) });
});

test('the daily run closes the operator’s month; admins read months, whose sums are those of all accounts, and nobody else', async () => {
  const { database } = stack.db;
  const admin = await stack.person('admin');
  const months = async () =>
    (await admin.call('GET', '/api/admin/reports')).body.items as { label: string; isMade: boolean }[];
  await sql`update accounts set created_at = now() - interval '100 days' where id = ${seeded.accountId}`.execute(
    database.sql,
  );
  const [newest, older] = await months();
  if (newest === undefined || older === undefined) throw new Error('there are months before');
  await runTurn(database, seeded, { used: 50_000, now: startOfMonth(older.label, 'Asia/Seoul') + 10 * DAY });
  await new TestSchedule(stack, DAILY_REPORTS_ID).fire();
  expect((await months())[0]).toEqual({ label: newest.label, isMade: true });
  const path = `/api/admin/reports/${older.label}`;
  const { status, body } = await admin.call('GET', path);
  expect(status).toBe(200);
  const { rows } = await sql<{
    used: number;
    turns: number;
  }>`select coalesce(sum(e.used_delta), 0)::float8 as used, count(e.turn_id)::float8 as turns
    from ledger_entries e join periods p on p.id = e.period_id where p.label = ${older.label}`.execute(database.sql);
  expect([{ used: body.usage.usedTokens, turns: body.usage.turns }]).toEqual(rows);
  expect(body.usage.usedTokens).toBeGreaterThanOrEqual(50_000);
  const csv = await admin.raw('GET', `${path}?format=csv`);
  expect(await csv.text()).toContain(`usage,,usedTokens,${body.usage.usedTokens}\r\n`);
  const pdf = await admin.raw('GET', `${path}?format=pdf`);
  expect(await textOf(Buffer.from(await pdf.arrayBuffer()))).toContain('운영 리포트');
  expect((await admin.call('GET', '/api/admin/reports/2999-01')).status).toBe(404);
  expect((await person.call('GET', '/api/admin/reports')).status).toBe(403);
});

test('a year later the PDF has the same bytes, in both languages', async () => {
  await turnThen(777);
  const path = `/api/reports/${LAST}?format=pdf`;
  const both = async () => [(await file(path)).bytes, (await file(path, { 'accept-language': 'en' })).bytes];
  const now = await both();
  later = 365 * DAY;
  try {
    const then = await both();
    expect(then.map((bytes, i) => bytes.equals(now[i] as Buffer))).toEqual([true, true]);
  } finally {
    later = 0;
  }
});
