import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { createToken, revokeToken } from '../../db/people/key-holders.ts';
import { Gate } from '../fake-model/scenario.ts';
import { runCommand } from '../support/cli.ts';
import { readEvents } from '../support/events.ts';
import { personAtUrl, startTestStack, type Person, type TestStack } from '../support/stack.ts';
import { TestTurn } from '../support/turn.ts';
import { until } from '../support/until.ts';

let stack: TestStack;
beforeAll(async () => {
  stack = await startTestStack();
});
afterAll(() => stack.close());

/** A person, and the same person with another key. */
async function withKey(expiresAt: number | null = null): Promise<{ person: Person; held: Person; tokenId: number }> {
  const person = await stack.person();
  const { tokenId, token } = await createToken(stack.db.database, { userId: person.userId, expiresAt });
  return { person, held: personAtUrl(stack.url, person.userId, token), tokenId };
}

/** How long the stream lasts from now on, in milliseconds; it is read to its end. */
async function lastsMs(stream: Response): Promise<number> {
  const began = performance.now();
  await readEvents(stream).catch(() => []);
  return performance.now() - began;
}

test('a revoked key’s streams end within 5 s; the turn goes on, and other keys’ streams too', async () => {
  const { person, held, tokenId } = await withKey();
  const gate = new Gate('request');
  stack.model.next({ gate, chunks: ['가'] });
  const turn = new TestTurn(stack, person);
  await turn.send({}, { prefer: 'respond-async' });
  await gate.reached;
  const path = `/api/chat/turns/${turn.turnId}/events`;
  const [events, feed, others] = [
    await held.raw('GET', path),
    await held.raw('GET', '/api/events'),
    await person.raw('GET', path),
  ];
  const kept = readEvents(others);
  await revokeToken(stack.db.database, { tokenId });
  for (const lasted of await Promise.all([lastsMs(events), lastsMs(feed)])) expect(lasted).toBeLessThan(5_000);
  expect((await held.call('GET', '/api/me')).status).toBe(401);
  gate.open();
  expect((await kept).at(-1)?.event).toBe('completed');
});

test('a key that ends by itself lets nobody in afterwards, and its streams end', async () => {
  const { held } = await withKey(Date.now() + 3_000);
  const feed = await held.raw('GET', '/api/events');
  expect(feed.status).toBe(200);
  expect(await lastsMs(feed)).toBeLessThan(8_000);
  await until(async () => (await held.call('GET', '/api/me')).status === 401);
  // Control: one that ends later lets in.
  expect((await (await withKey(Date.now() + 60_000)).held.call('GET', '/api/me')).status).toBe(200);
});

test('commands make keys that end, and revoke one by its id or by the secret on standard input', async () => {
  const person = await stack.person();
  const create = async (...expires: string[]) => {
    const { status, stdout, stderr } = await runCommand(stack, [
      'token',
      'create',
      String(person.userId),
      ...expires,
      '--json',
    ]);
    return { status, stderr, key: status === 0 ? JSON.parse(stdout) : null };
  };
  const opens = async (token: string) => (await personAtUrl(stack.url, 0, token).call('GET', '/api/me')).status;
  const [lasting, day] = await Promise.all([create(), create('--expires', '1d')]);
  expect([lasting.key.expiresAt, await opens(lasting.key.token), await opens(day.key.token)]).toEqual([null, 200, 200]);
  expect(Math.abs(Date.parse(day.key.expiresAt) - Date.now() - 86_400_000)).toBeLessThan(60_000);
  const refused = await Promise.all([
    create('--expires', '2020-01-01'),
    create('--expires', 'soon'),
    create('--expires', '0d'),
  ]);
  for (const { status, stderr } of refused) expect([status, stderr]).toEqual([1, expect.stringContaining('90d')]);
  const revoke = (args: string[], input?: string) => runCommand(stack, ['token', 'revoke', ...args], {}, input);
  expect((await revoke([String(day.key.tokenId)])).status).toBe(0);
  expect((await revoke([], `${lasting.key.token}\n`)).status).toBe(0);
  expect([await opens(lasting.key.token), await opens(day.key.token), await opens(person.token)]).toEqual([
    401, 401, 200,
  ]);
  const none = await Promise.all([revoke([], ''), revoke([`0${day.key.tokenId}`])]);
  for (const { status, stderr } of none)
    expect([status, stderr]).toEqual([1, expect.stringContaining('named by its id')]);
});
