import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { giveAddress, mailingBy, startTestMail, type ReceivedMail, type TestMail } from '../support/mail.ts';
import { sellingBy, startTestShop, type TestShop } from '../support/shop.ts';
import { startTestStack, type Person, type TestStack } from '../support/stack.ts';
import { until } from '../support/until.ts';

let shop: TestShop;
let mail: TestMail;
let stack: TestStack;
let person: Person;
let address: string;
beforeAll(async () => {
  shop = await startTestShop();
  mail = await startTestMail();
  stack = await startTestStack({ ...mailingBy(mail), ...(await sellingBy(shop)) });
});
afterAll(async () => {
  await stack.close();
  await shop.close();
  await mail.close();
});
beforeEach(async () => {
  person = await stack.person();
  address = await giveAddress(stack, person);
});

const key = () => ({ 'idempotency-key': randomUUID() });
const subjects = () => mine().map((one) => one.header('Subject'));
const mine = (): ReceivedMail[] => mail.received.filter(({ to }) => to.includes(address));

async function buy(choice: 'pay' | 'decline' | 'later'): Promise<string> {
  const { body } = await person.call('POST', '/api/purchases', { packId: 'small', provider: 'demo' }, key());
  await shop.choose(body.checkout.url, choice);
  return body.purchaseId;
}

test('a purchase is told by a receipt, and its refund by a mail, each once, although kinds may be switched off', async () => {
  const purchaseId = await buy('pay');
  await until(() => mine().length === 1);
  const [receipt] = mine();
  expect(receipt?.header('Subject')).toBe('[Turnkeeper] 토큰 구매가 완료되었습니다');
  expect(receipt?.header('List-Unsubscribe')).toBeNull();
  expect(receipt?.text).toContain('결제 금액(부가세 포함): 4,900원');
  expect(receipt?.link('/purchase/')).toBe(`/purchase/${purchaseId}`);
  // A look that sees nothing new tells nothing.
  await person.call('GET', `/api/purchases/${purchaseId}`);

  await person.call('POST', `/api/purchases/${purchaseId}/refunds`, { all: true }, key());
  await until(() => mine().length === 2);
  expect(mine()[1]?.header('Subject')).toBe('[Turnkeeper] 환불이 완료되었습니다');
  expect(mine()[1]?.text).toContain('환불 금액: 4,900원');
});

test('a deposit is told when it is awaited, and its receipt when it has come', async () => {
  const purchaseId = await buy('later');
  await until(() => subjects().length === 1);
  expect(mine()[0]?.text).toContain('금액: 4,900원');
  await shop.act(purchaseId, 'deposit');
  await until(() => subjects().length === 2);
  expect(subjects()).toEqual(['[Turnkeeper] 입금을 기다리고 있습니다', '[Turnkeeper] 토큰 구매가 완료되었습니다']);
});

test('a payment that was declined is told, in the reader’s language', async () => {
  await person.call('PATCH', '/api/me', { locale: 'en' });
  await buy('decline');
  await until(() => mine().length === 1);
  expect(subjects()).toEqual(['[Turnkeeper] Your payment failed']);
});
