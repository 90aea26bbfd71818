import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { giveAddress, mailingBy, mailsOf, startTestMail, type TestMail } from '../support/mail.ts';
import type { Person } from '../support/stack.ts';
import { until } from '../support/until.ts';
import type { Program } from './program.ts';
import { openCrashStage, type CrashStage } from './stage.ts';

/**
 * Workers are killed with SIGKILL when the mail server has a mail and they have not written so: five mails a worker, as
 * many as it has connections. `MAIL_KILLS=50 npm test -- test/crash/mail-killed.test.ts` does it to 50 mails.
 */
const MAILS_A_WORKER = 5;
const MAILS = Number(process.env['MAIL_KILLS'] ?? MAILS_A_WORKER);
/** A worker's death is noticed 10 s after its last heartbeat. */
const WITHIN_MS = 60_000 + (MAILS / MAILS_A_WORKER) * 60_000;

let stage: CrashStage;
let mail: TestMail;
beforeAll(async () => {
  mail = await startTestMail();
  stage = await openCrashStage();
  await stage.start('api', mailingBy(mail));
});
afterAll(async () => {
  await stage.close();
  await mail.close();
});

test(
  'a worker that is killed between the server’s word and ours sends at most one more copy, with the same id, and none is lost',
  async () => {
    const people: Person[] = [];
    // Each worker first sends once more what the one before it has left, so that no mail is hit by two kills.
    for (let round = 0, left: Person[] = []; people.length < MAILS || left.length > 0; round++) {
      const worker = await stage.start('worker', mailingBy(mail));
      for (const person of left) await arrives(person);
      left = people.length < MAILS ? await killWorker(worker, round) : [];
      people.push(...left);
    }
    const seen = people.length + mail.received.length;
    // The control: a worker was killed before it could write, so there are copies.
    expect(seen).toBeGreaterThan(2 * people.length);
  },
  WITHIN_MS,
);

/** The person's mail arrives once or twice, under one id. */
async function arrives(person: Person): Promise<void> {
  await until(async () => (await mailsOf(stage, person))[0]?.state === 'delivered', WITHIN_MS);
  const [row, ...others] = await mailsOf(stage, person);
  const copies = mail.received.filter(({ to }) => to.includes(row?.address ?? ''));
  expect(others).toEqual([]);
  expect(copies.length).toBeGreaterThanOrEqual(1);
  expect(copies.length).toBeLessThanOrEqual(2);
  expect(new Set(copies.map((copy) => copy.header('Message-ID')))).toEqual(
    new Set([`<${row?.id}@turnkeeper.example>`]),
  );
}

/** @returns the people whose mails the server had when the worker died. */
async function killWorker(worker: Program, round: number): Promise<Person[]> {
  const killed = Promise.withResolvers<void>();
  const answered = Promise.withResolvers<void>();
  let taken = 0;
  const hold = (until: Promise<void>) => ({
    at: 'taken' as const,
    then: async () => {
      taken += 1;
      await until;
    },
  });
  // The server answers some of them, in the moment of the kill.
  mail.next(...Array.from({ length: MAILS_A_WORKER }, (_, i) => hold(i % 2 === 0 ? killed.promise : answered.promise)));
  const people = await Promise.all(
    Array.from({ length: MAILS_A_WORKER }, async (_, i) => {
      const person = await stage.person();
      await giveAddress(stage, person, `killed-${round}-${i}@example.com`);
      await person.call('POST', '/api/ai-usage/test-usage', { userId: person.userId, usagePercent: 92 });
      return person;
    }),
  );
  await until(() => taken === MAILS_A_WORKER);
  answered.resolve();
  await worker.kill();
  killed.resolve();
  return people;
}
