import { findWrongBooks } from '../books.ts';
import { Random } from '../random.ts';
import { makePeople } from '../stage.ts';
import { findWrongPurchases } from './books.ts';
import { Buyer } from './buyer.ts';
import { TOSS_CALLS, type Toss } from './provider.ts';
import { untilRight, withToss, type ShopStage } from './shop.ts';

/** As many as the faults of each call; what is asked again finds a Toss that is well. */
const BUYERS = 40;

export interface HeldReport {
  readonly seed: number;
  readonly heldSeconds: number;
  readonly purchases: number;
  readonly paid: number;
  readonly refunded: number;
  /** Calls that take or give back money, and how many of them were one that had been asked before. */
  readonly asked: number;
  readonly repeated: number;
  readonly rightAfterSeconds: number;
  readonly findings: readonly string[];
}

/**
 * People buy and give back while Toss takes the money at once and answers `heldMs` later, or cuts the connection: at
 * once or after as long, before its effect or after it. Every payment must be granted once; Toss must see one effect
 * and one idempotency key a purchase.
 */
export function runHeld(
  stopping: AbortSignal,
  { seed, heldMs }: { seed: number; heldMs: number },
): Promise<HeldReport> {
  return withToss(stopping, 1, (shop) => run(shop, { seed, heldMs }));
}

async function run(
  { stage, client, toss }: ShopStage,
  { seed, heldMs }: { seed: number; heldMs: number },
): Promise<HeldReport> {
  const random = new Random(seed);
  const { people } = await makePeople(stage.databaseUrl, BUYERS, () => 100_000);
  await toss.tell(`${stage.urls[0]}/api/webhooks/toss`);
  const faults = [{ delayMs: heldMs }, { delayMs: heldMs, cut: 'after' }, { cut: 'after' }, { cut: 'before' }] as const;
  for (const call of TOSS_CALLS) for (let n = 0; n < BUYERS; n += 1) await toss.fail(call, random.pick(faults));
  const until = Date.now() + 3 * heldMs;
  const buyers = people.map(
    ({ token }) => new Buyer({ api: random.pick(stage.urls), token, toss, random: random.fork() }),
  );
  await Promise.all(buyers.map((buyer) => buyer.act(until)));
  await toss.heal();
  const rightAfterSeconds = await untilRight({ client, toss });
  const { payments, effects } = await toss.read();
  const { asked, repeated, wrong } = await judgeKeys(toss);
  return {
    seed,
    heldSeconds: heldMs / 1_000,
    purchases: payments.length,
    paid: payments.filter(({ isPaid }) => isPaid).length,
    refunded: effects.filter(({ what }) => what === 'cancel').length,
    asked,
    repeated,
    rightAfterSeconds,
    findings: [
      ...buyers.flatMap(({ findings }) => findings),
      ...(await findWrongPurchases(client, { payments, effects })),
      ...(await findWrongBooks(client)),
      ...wrong,
      ...(repeated > 0 ? [] : ['nothing was asked twice: no fault was met']),
    ],
  };
}

/** One key always asks for one thing, and one thing always has one key. */
async function judgeKeys(toss: Toss): Promise<{ asked: number; repeated: number; wrong: string[] }> {
  const asked = (await toss.calls()).filter(({ name }) => name === 'confirm' || name === 'cancel');
  const [ofKey, ofThing] = [new Map<string, string>(), new Map<string, string>()];
  const wrong: string[] = [];
  for (const { name, key, body } of asked) {
    const thing = `${name} ${JSON.stringify(body)}`;
    if (key === null) wrong.push(`${thing} was asked without a key`);
    else if ((ofKey.get(key) ?? thing) !== thing) wrong.push(`the key ${key} asked for two things`);
    else if ((ofThing.get(thing) ?? key) !== key) wrong.push(`${thing} was asked by two keys`);
    ofKey.set(key ?? '', thing);
    ofThing.set(thing, key ?? '');
  }
  return { asked: asked.length, repeated: asked.length - ofThing.size, wrong };
}

export function textOfHeld({ findings, ...report }: HeldReport): string {
  return [
    `seed ${report.seed}: answers held for ${report.heldSeconds} s; ${report.purchases} payments begun, ${report.paid} paid, ${report.refunded} refunds, ${report.asked} calls for money (${report.repeated} again); right after ${report.rightAfterSeconds} s`,
    findings.length === 0 ? 'nothing found' : `FOUND ${findings.length}:`,
    ...findings.map((finding) => `  ${finding}`),
    '',
  ].join('\n');
}
