import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { sql } from 'kysely';
import { TRY_NOW } from '../../workflows/contract/deliveries.ts';
import { deliveryWorkflowId, RECONCILE_SCHEDULE_ID } from '../../workflows/contract/ids.ts';
import { lockRows } from '../support/lock.ts';
import { giveAddress, mailingBy, mailsOf, startTestMail, type ReceivedMail, type TestMail } from '../support/mail.ts';
import { TestSchedule } from '../support/schedules.ts';
import { startTestStack, type Person, type TestStack } from '../support/stack.ts';
import { until } from '../support/until.ts';

let mail: TestMail;
let stack: TestStack;
let person: Person;
beforeAll(async () => {
  mail = await startTestMail();
  stack = await startTestStack(mailingBy(mail));
});
afterAll(async () => {
  await stack.close();
  await mail.close();
});
beforeEach(async () => {
  person = await stack.person();
});

const PREFERENCES = '/api/me/notification-preferences';
const putAt = (percent: number, who = person) =>
  who.call('POST', '/api/ai-usage/test-usage', { userId: who.userId, usagePercent: percent });
const told = (count: number, who = person) =>
  until(async () => (await who.call('GET', '/api/notifications')).body.items.length === count);
const outbox = () => mailsOf(stack, person);
const ended = () => until(async () => (await outbox()).every(({ state }) => state !== 'pending'));
const to = (address: string) => mail.received.filter((one) => one.to.includes(address));
const workflowOf = (deliveryId: string) => stack.temporal.client.workflow.getHandle(deliveryWorkflowId(deliveryId));

async function theMail(address: string, nth = 0): Promise<ReceivedMail> {
  await until(() => to(address).length > nth);
  const found = to(address)[nth];
  if (found === undefined) throw new Error('it was waited for');
  return found;
}

async function firstOfOutbox() {
  await until(async () => (await outbox()).length > 0);
  const [row] = await outbox();
  if (row === undefined) throw new Error('it was waited for');
  return row;
}

/** Waits until the delivery pauses, and makes it try at once. */
async function tryAgain(attempts: number): Promise<void> {
  await until(async () => {
    const [row] = await outbox();
    return row?.attempts === attempts && row.state === 'pending' && row.dueInMs > 0;
  });
  const { id } = await firstOfOutbox();
  await workflowOf(id).signal(TRY_NOW);
  await until(async () => ((await outbox())[0]?.attempts ?? 0) > attempts);
}

/** A server that was found away is not asked again for 2 s, so it may take several attempts. */
const tryUntilDelivered = () =>
  until(async () => {
    const [row] = await outbox();
    if (row?.state === 'pending' && row.dueInMs > 0) await workflowOf(row.id).signal(TRY_NOW);
    return row?.state === 'delivered';
  });

describe('an alert leaves by mail', () => {
  test('once, in Korean, with what it says in the app, text and HTML, and nothing of it in Temporal', async () => {
    const address = await giveAddress(stack, person);
    await putAt(92);
    const sent = await theMail(address);
    expect([sent.from, sent.to]).toEqual(['no-reply@turnkeeper.example', [address]]);
    expect(sent.header('From')).toBe('Turnkeeper <no-reply@turnkeeper.example>');
    expect(sent.header('Subject')).toBe('[Turnkeeper] 토큰 92% 사용');
    expect(sent.header('Auto-Submitted')).toBe('auto-generated');
    expect(sent.text).toContain('이번 달 토큰의 92%를 사용했습니다.');
    expect(sent.text).toContain('남은 토큰: 8,000개');
    expect(sent.text).toMatch(/초기화: \d+월 1일 0시\(서울\)/);
    expect(sent.text).toContain('토큰 구매: https://chat.example/purchase');
    expect(sent.html).toContain('<a href="https://chat.example/purchase"');
    const { id } = await firstOfOutbox();
    expect(sent.header('Message-ID')).toBe(`<${id}@turnkeeper.example>`);
    await ended();
    expect(await outbox()).toEqual([
      expect.objectContaining({ state: 'delivered', attempts: 1, unknowns: 0, answer: '250', kind: 'usage.alert' }),
    ]);
    const history = JSON.stringify(await workflowOf(id).fetchHistory());
    expect(history).toContain(id);
    expect(history).not.toMatch(/@example|사용했습니다/);
  });

  test('in English to who reads English', async () => {
    const address = await giveAddress(stack, person);
    await person.call('PATCH', '/api/me', { locale: 'en' });
    await putAt(96);
    const sent = await theMail(address);
    expect(sent.header('Subject')).toBe('[Turnkeeper] Urgent: tokens 96% used');
    expect(sent.text).toContain('Tokens left: 4,000');
  });

  test('is decided once for all channels: a level once in 24 hours, another level at once (G20)', async () => {
    const address = await giveAddress(stack, person);
    await putAt(91);
    await told(1);
    await TestSchedule.ofUser(stack, 'alert', person.userId).fire();
    await putAt(95);
    await told(2);
    await sql`update alerts set created_at = created_at - interval '25 hours' where level = 'CRITICAL'
      and account_id = (select id from accounts where user_id = ${person.userId})`.execute(stack.db.database.sql);
    await TestSchedule.ofUser(stack, 'alert', person.userId).fire();
    await told(3);
    await ended();
    expect((await outbox()).length).toBe(3);
    expect(to(address).map((one) => one.header('Subject'))).toEqual([
      '[Turnkeeper] 토큰 91% 사용',
      '[Turnkeeper] 긴급: 토큰 95% 사용',
      '[Turnkeeper] 긴급: 토큰 95% 사용',
    ]);
    expect(new Set(to(address).map((one) => one.header('Message-ID'))).size).toBe(3);
  });

  test('only to an address that somebody has verified: of the issuer’s people theirs, of others none that an admin wrote', async () => {
    const set = (email: string, issuer: string | null) =>
      sql`update users set email = ${email}, issuer = ${issuer}, subject = ${issuer === null ? null : email},
        claims_at = ${issuer === null ? null : new Date()} where id = ${person.userId}`.execute(stack.db.database.sql);
    await set('written@example.com', null);
    await putAt(92);
    await told(1);
    expect(await outbox()).toEqual([]);
    await set('verified@example.com', 'https://issuer.example');
    await putAt(96);
    await theMail('verified@example.com');
    expect(to('written@example.com')).toEqual([]);
  });
});

describe('what a mail server answers', () => {
  beforeEach(async () => {
    await giveAddress(stack, person);
  });

  test('450: it is tried again, a minute later or when asked, and arrives once', async () => {
    mail.next({ at: 'rcpt', code: 450 });
    await putAt(92);
    await until(async () => (await outbox())[0]?.answer === '450');
    const [waiting] = await outbox();
    expect(waiting).toMatchObject({ state: 'pending', attempts: 1, unknowns: 0, error: null });
    expect(waiting?.dueInMs).toBeGreaterThan(30_000);
    expect(waiting?.dueInMs).toBeLessThan(70_000);
    await tryAgain(1);
    await ended();
    expect(await outbox()).toEqual([expect.objectContaining({ state: 'delivered', attempts: 2, error: null })]);
    expect(to(`person-${person.userId}@example.com`)).toHaveLength(1);
  });

  test('550: it fails, and the address gets no more mail until it is confirmed again', async () => {
    const address = `person-${person.userId}@example.com`;
    mail.next({ at: 'rcpt', code: 550, text: '5.1.1 no such user here' });
    await putAt(92);
    await until(async () => (await outbox()).length === 1);
    await ended();
    expect(await outbox()).toEqual([
      expect.objectContaining({ state: 'failed', attempts: 1, error: 'refused', answer: '550 5.1.1' }),
    ]);
    const { id } = await firstOfOutbox();
    await expect(workflowOf(id).result()).rejects.toMatchObject({
      cause: { type: 'DeliveryFailed', message: 'refused' },
    });
    await putAt(96);
    await told(2);
    expect(await outbox()).toHaveLength(1);
    expect((await person.call('GET', PREFERENCES)).body.email).toMatchObject({ address, refused: true });
    expect(await person.call('POST', '/api/me/address', { email: address })).toMatchObject({ status: 202 });
    const confirming = await theMail(address);
    await fetch(`${stack.url}${confirming.link('/confirm-address')}`, { method: 'POST' });
    expect((await person.call('GET', PREFERENCES)).body.email).toMatchObject({ address, refused: false, change: null });
  });

  test('550 to one mail: another that waits is not sent any more, and it is said why', async () => {
    mail.next({ at: 'rcpt', code: 451 });
    await putAt(92);
    await until(async () => (await outbox())[0]?.answer === '451');
    mail.next({ at: 'rcpt', code: 550, text: '5.1.1 no such user here' });
    await putAt(96);
    await until(async () => (await outbox())[1]?.state === 'failed');
    await workflowOf((await firstOfOutbox()).id).signal(TRY_NOW);
    await ended();
    expect((await outbox()).map(({ error }) => error)).toEqual(['suppressed', 'refused']);
  });

  test('gone after it had the mail: nobody knows, so it goes again under the same id, four times at most', async () => {
    mail.next(...Array.from({ length: 5 }, () => ({ at: 'after' }) as const));
    await putAt(92);
    for (let attempts = 1; attempts <= 3; attempts++) await tryAgain(attempts);
    await ended();
    expect(await outbox()).toEqual([
      expect.objectContaining({ state: 'failed', attempts: 4, unknowns: 4, error: 'outcome_unknown' }),
    ]);
    const copies = to(`person-${person.userId}@example.com`);
    expect(copies).toHaveLength(4);
    expect(new Set(copies.map((one) => one.header('Message-ID'))).size).toBe(1);
    // The last fault was for a fifth copy, which there is not.
    await giveAddress(stack, person, 'taker@example.com');
    await putAt(96);
    await theMail('taker@example.com');
  });

  test('gone before it had the mail: that is known, and counts as no copy', async () => {
    mail.next(...Array.from({ length: 2 }, () => ({ at: 'before' }) as const));
    await putAt(92);
    await until(async () => (await outbox())[0]?.answer === 'unreachable');
    await tryUntilDelivered();
    expect(await outbox()).toEqual([expect.objectContaining({ state: 'delivered', unknowns: 0 })]);
    expect(to(`person-${person.userId}@example.com`)).toHaveLength(1);
  });

  test('nothing, because it is away: the alert is in the app at once, and the mail arrives when it is back', async () => {
    await mail.stop();
    await putAt(92);
    await told(1);
    await until(async () => (await outbox())[0]?.answer === 'unreachable');
    await mail.begin();
    await tryUntilDelivered();
    expect(to(`person-${person.userId}@example.com`)).toHaveLength(1);
  });
});

test('a delivery whose start was lost is started by reconcile, and one that runs is left alone', async () => {
  const address = await giveAddress(stack, person);
  await putAt(92);
  await theMail(address);
  await ended();
  const { id } = await firstOfOutbox();
  await sql`update deliveries set state = 'pending', ended_at = null, due_at = now() - interval '1 hour' where id = ${id}`.execute(
    stack.db.database.sql,
  );
  await new TestSchedule(stack, RECONCILE_SCHEDULE_ID).fire();
  expect((await theMail(address, 1)).header('Message-ID')).toBe(to(address)[0]?.header('Message-ID'));
  await ended();
  expect(await outbox()).toEqual([expect.objectContaining({ state: 'delivered', attempts: 2 })]);
});

describe('stopping mails', () => {
  test('two requests that name kinds in different orders wait for each other', async () => {
    const put = (...kinds: string[]) =>
      person.call('PUT', PREFERENCES, { items: kinds.map((kind) => ({ kind, channel: 'email', enabled: false })) });
    const [one, two, three] = ['usage.alert', 'usage.report', 'usage.reset'] as const;
    expect((await put(one, two, three)).status).toBe(200);
    const lock = await lockRows(
      stack.db.url,
      'select 1 from notification_preferences where user_id = $1 and kind = $2',
      [person.userId, two],
    );
    const both = [put(one, two, three), put(three, two, one)];
    await until(() => lock.isWanted(2));
    await lock.release();
    expect((await Promise.all(both)).map(({ status }) => status)).toEqual([200, 200]);
  });

  test('one click: looking at the page stops nothing, the button does, and in the app everything stays', async () => {
    const address = await giveAddress(stack, person);
    await putAt(92);
    const sent = await theMail(address);
    const [, url = ''] =
      /^<https:\/\/chat\.example(\/unsubscribe\?t=[^>]+)>$/.exec(sent.header('List-Unsubscribe') ?? '') ?? [];
    expect(sent.header('List-Unsubscribe-Post')).toBe('List-Unsubscribe=One-Click');
    expect(sent.link('/unsubscribe')).toBe(url);
    const page = await fetch(`${stack.url}${url}`, { headers: { 'accept-language': 'ko' } });
    expect([page.status, page.headers.get('content-type')]).toEqual([200, 'text/html; charset=utf-8']);
    expect(await page.text()).toContain('<form method="post">');
    expect(await isOn()).toBe(true);
    for (let again = 0; again < 2; again++) {
      const stopped = await fetch(`${stack.url}${url}`, {
        method: 'POST',
        headers: { 'content-type': 'application/x-www-form-urlencoded' },
        body: 'List-Unsubscribe=One-Click',
      });
      expect(stopped.status).toBe(200);
      expect(await isOn()).toBe(false);
    }
    await putAt(96);
    await told(2);
    expect(await outbox()).toHaveLength(1);
  });

  test('a token of somebody else’s cannot be made from one’s own, nor one for another purpose', async () => {
    const address = await giveAddress(stack, person);
    const stranger = await stack.person();
    await putAt(92);
    const url = (await theMail(address)).link('/unsubscribe');
    const [, token = ''] = url.split('?t=');
    const [, mac = ''] = token.split('.');
    const forged = `${Buffer.from(`${stranger.userId}/usage.alert`).toString('base64url')}.${mac}`;
    for (const path of [
      `/unsubscribe?t=${forged}`,
      `/unsubscribe?t=${token.slice(0, -1)}`,
      '/unsubscribe',
      `/confirm-address?t=${token}`,
    ])
      for (const method of ['GET', 'POST'])
        expect([path, (await fetch(`${stack.url}${path}`, { method })).status]).toEqual([path, 404]);
    expect(await isOn(stranger)).toBe(true);
    expect(await isOn()).toBe(true);
  });

  test('a mail that waits is not sent any more once its kind is off', async () => {
    await giveAddress(stack, person);
    mail.next({ at: 'rcpt', code: 451 });
    await putAt(92);
    await until(async () => (await outbox())[0]?.answer === '451');
    await switchAlerts(false);
    const { id } = await firstOfOutbox();
    await workflowOf(id).signal(TRY_NOW);
    await ended();
    expect(await outbox()).toEqual([expect.objectContaining({ state: 'failed', error: 'switched_off' })]);
    expect(to(`person-${person.userId}@example.com`)).toEqual([]);
  });

  async function isOn(who = person): Promise<boolean> {
    const { items } = (await who.call('GET', PREFERENCES)).body;
    return items.find(({ kind, channel }: any) => kind === 'usage.alert' && channel === 'email').enabled;
  }
});

const switchAlerts = (enabled: boolean) =>
  person.call('PUT', PREFERENCES, { items: [{ kind: 'usage.alert', channel: 'email', enabled }] });

describe('preferences', () => {
  test('what was read can be sent back, and a switch stays', async () => {
    const { body: before } = await person.call('GET', PREFERENCES);
    expect(before.email).toEqual({ available: true, address: null, refused: false, change: null });
    expect(before.items.every(({ enabled }: any) => enabled)).toBe(true);
    expect(before.items.filter(({ locked }: any) => !locked).map(({ kind }: any) => kind)).toEqual([
      'usage.alert',
      'usage.reset',
      'usage.report',
      'topup.reminder',
    ]);
    expect(await person.call('PUT', PREFERENCES, before)).toMatchObject({ status: 200, body: before });
    expect((await switchAlerts(false)).body.items[0]).toMatchObject({ kind: 'usage.alert', enabled: false });
    expect((await person.call('GET', PREFERENCES)).body.items[0]).toMatchObject({
      kind: 'usage.alert',
      enabled: false,
    });
    expect((await switchAlerts(true)).body).toEqual(before);
  });

  test.each([
    [{ kind: 'purchase.paid', channel: 'email', enabled: false }, 'items.0.enabled'],
    [{ kind: 'security.address', channel: 'email', enabled: false }, 'items.0.enabled'],
    [{ kind: 'usage.everything', channel: 'email', enabled: false }, 'items.0.kind'],
    [{ kind: 'usage.alert', channel: 'fax', enabled: false }, 'items.0.channel'],
    [{ kind: 'usage.alert', channel: 'email', enabled: 'no' }, 'items.0.enabled'],
    [{ kind: 'usage.alert', channel: 'email' }, 'items.0.enabled'],
  ])('%j is 400 and changes nothing', async (item, field) => {
    const { body: before } = await person.call('GET', PREFERENCES);
    const items = [item, { kind: 'usage.alert', channel: 'email', enabled: false }];
    expect(await person.call('PUT', PREFERENCES, { items })).toMatchObject({
      status: 400,
      body: { code: 'invalid_request', field },
    });
    expect((await person.call('GET', PREFERENCES)).body).toEqual(before);
  });
});

describe('an address', () => {
  const ask = (email: string, who = person) => who.call('POST', '/api/me/address', { email });
  const press = async (sent: ReceivedMail) =>
    (await fetch(`${stack.url}${sent.link('/confirm-address')}`, { method: 'POST' })).status;
  const email = async () => (await person.call('GET', PREFERENCES)).body.email;

  test('is the person’s once its mailbox has confirmed it; changing it takes both mailboxes', async () => {
    const [one, two] = [`one-${person.userId}@example.com`, `two-${person.userId}@example.com`];
    expect((await ask(one)).body.email).toMatchObject({
      address: null,
      change: { address: one, newConfirmed: false, oldConfirmed: null },
    });
    const first = await theMail(one);
    expect(first.header('Subject')).toBe('[Turnkeeper] 메일 주소를 확인해 주세요');
    expect(first.header('List-Unsubscribe')).toBeNull();
    expect((await fetch(`${stack.url}${first.link('/confirm-address')}`)).status).toBe(200);
    expect((await email()).address).toBeNull();
    expect([await press(first), await press(first)]).toEqual([200, 200]);
    expect(await email()).toMatchObject({ address: one, change: null });

    await ask(two);
    expect(await press(await theMail(two))).toBe(200);
    expect(await email()).toMatchObject({ address: one, change: { newConfirmed: true, oldConfirmed: false } });
    expect(await press(await theMail(one, 1))).toBe(200);
    expect(await email()).toMatchObject({ address: two, change: null });
    // The link of a change that was made, and made again since, brings nothing back.
    expect(await press(first)).toBe(404);
    expect(await email()).toMatchObject({ address: two, change: null });
    expect(await ask(two)).toMatchObject({ status: 400, body: { field: 'email' } });
  });

  test('of an earlier request does not count any more', async () => {
    const [one, two] = [`early-${person.userId}@example.com`, `late-${person.userId}@example.com`];
    await ask(one);
    const early = await theMail(one);
    await ask(two);
    expect(await press(early)).toBe(404);
    expect(await email()).toMatchObject({ address: null, change: { address: two } });
  });

  test('may be asked for five times a day by one person, and by all together', async () => {
    const target = `many-${person.userId}@example.com`;
    const six = await Promise.all([1, 2, 3, 4, 5, 6].map(() => stack.person()));
    const statuses = async (asked: readonly Promise<{ status: number }>[]) =>
      (await Promise.all(asked)).map(({ status }) => status).toSorted();
    expect(await statuses(six.map((one) => ask(target, one)))).toEqual([202, 202, 202, 202, 202, 429]);
    const mine = six.map((_one, i) => ask(`n${i}-${person.userId}@example.com`));
    expect(await statuses(mine)).toEqual([202, 202, 202, 202, 202, 429]);
  });

  test.each([
    'a@b.example\r\nBcc: c@d.example',
    'a@b.example\nSubject: x',
    'a@b.example, c@d.example',
    'a@b.example;c@d.example',
    '"c@d.example x"@b.example',
    '<a@b.example>',
    'Name <a@b.example>',
    'a@[127.0.0.1]',
    'a@localhost',
    'a@b..example',
    'a@-b.example',
    '@b.example',
    'a@b.example\0',
    'a\u200b@b.example',
    `${'a'.repeat(65)}@b.example`,
    '',
  ])('%j is no address', async (address) => {
    expect(await ask(address)).toMatchObject({ status: 400, body: { code: 'invalid_request', field: 'email' } });
    expect((await email()).change).toBeNull();
  });

  // The server shows addresses decoded; the header shows what was said to it.
  test.each([
    ['quoted', '"quoted.N"@b.example', 'quoted.N@b.example', '<"quoted.N"@b.example>'],
    ['with a plus and capitals', 'A.B+N@b.example', 'a.b+N@b.example', 'a.b+N@b.example'],
    ['with an apostrophe', "o'neilN@b.example", "o'neilN@b.example", "o'neilN@b.example"],
    ['of an IDN', 'aN@예시.한국', 'aN@예시.한국', 'aN@xn--vv4b11d.xn--3e0b707e'],
    ['of letters beyond ASCII', '한글N@예시.한국', '한글N@예시.한국', '한글N@예시.한국'],
  ])('%s gets its mail, and nobody else', async (_name, ...spellings) => {
    const [written = '', envelope = '', header = ''] = spellings.map((one) => one.replace('N', String(person.userId)));
    expect((await ask(written)).status).toBe(202);
    const sent = await theMail(envelope);
    expect([sent.to, sent.header('To')]).toEqual([[envelope], header]);
  });
});

test('a service without a mail server says so, and sends nothing', async () => {
  const silent = await startTestStack();
  try {
    const quiet = await silent.person();
    await giveAddress(silent, quiet);
    expect((await quiet.call('GET', PREFERENCES)).body.email).toMatchObject({ available: false });
    expect(await quiet.call('POST', '/api/me/address', { email: 'a@b.example' })).toMatchObject({
      status: 409,
      body: { code: 'channel_off' },
    });
    await putAt(92, quiet);
    await told(1, quiet);
    expect(await mailsOf(silent, quiet)).toEqual([]);
  } finally {
    await silent.close();
  }
});
