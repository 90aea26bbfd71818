import { setTimeout as sleep } from 'node:timers/promises';
import { say } from '../../../scripts/services/say.ts';
import { findWrongBooks } from '../books.ts';
import { Random } from '../random.ts';
import { makePeople } from '../stage.ts';
import { findWrongPurchases, POINTS, readPoints, type Point } from './books.ts';
import { Buyer } from './buyer.ts';
import { untilRight, withToss, type ShopStage } from './shop.ts';

/** API processes, and as many workers: all of them are killed at once. */
const PROCESSES = 1;
/** Buyers who are under way when everything is killed. */
const AT_ONCE = 10;
/** How long after the beginning of a round it is killed, at most: by the dice, and when a point is waited for. */
const KILLED_WITHIN_MS = 4_000;
const AIMED_WITHIN_MS = 20_000;
/** With as many kills, every point should have been hit: half of the rounds aim at the one that was hit least. */
const ALL_POINTS = 60;

export interface PurchasesReport {
  readonly seed: number;
  readonly kills: number;
  readonly purchases: number;
  /** How often a purchase stood at each point when everything was killed. */
  readonly killedAt: Readonly<Record<Point, number>>;
  readonly paid: number;
  readonly refunded: number;
  /** From the last kill until all was right. */
  readonly rightAfterSeconds: number;
  readonly findings: readonly string[];
}

/**
 * People buy and give back while API and worker are killed with SIGKILL, both at once. Every other round kills at a
 * moment of the seed; the others wait until somebody stands at the point that was hit least so far. Toss answers
 * slowly, so that each wait for it is among these moments. Afterwards every payment must be granted once, and every
 * refund made once.
 * @param options.kills of processes; two a round.
 */
export function runPurchases(
  stopping: AbortSignal,
  options: { seed: number; kills: number },
): Promise<PurchasesReport> {
  return withToss(stopping, PROCESSES, (shop) => run(shop, options));
}

async function run(
  { stage, client, toss, stopping }: ShopStage,
  { seed, kills }: { seed: number; kills: number },
): Promise<PurchasesReport> {
  const random = new Random(seed);
  const rounds = Math.ceil(kills / stage.victims.app.length);
  // An account may have five purchases that wait for their payment, and buyers leave.
  const { people } = await makePeople(stage.databaseUrl, rounds * 3, () => 100_000);
  const killedAt = Object.fromEntries(POINTS.map((point) => [point, 0])) as Record<Point, number>;
  const buyers: Buyer[] = [];
  const acting: Promise<void>[] = [];
  await toss.tell(`${stage.urls[0]}/api/webhooks/toss`);
  let nth = 0;
  for (let round = 0; round < rounds && !stopping.aborted; round += 1) {
    const began = Date.now();
    await toss.heal();
    for (const call of ['get', 'confirm', 'cancel'] as const)
      await toss.slow(
        call,
        Array.from({ length: 3 * AT_ONCE }, () => random.whole(0, call === 'get' ? 300 : 1_500)),
      );
    for (let n = 0; n < AT_ONCE; n += 1) {
      const { token = '' } = people[(nth += 1) % people.length] ?? {};
      const api = random.pick(stage.urls);
      const buyer = new Buyer({ api, token, toss, random: random.fork() });
      buyers.push(buyer);
      acting.push(buyer.act(Date.now() + 60_000).catch((error: unknown) => void buyer.findings.push(String(error))));
    }
    const standing = async () => (await readPoints(client, await toss.read(), new Date(began))).values();
    if (round % 2 === 0) await sleep(random.whole(0, KILLED_WITHIN_MS));
    else await untilSomebodyIs(rarest(killedAt), standing);
    const over = stage.victims.app.map((victim) => victim.killFor(0));
    // What is sent to Toss already takes effect there.
    for (const point of await standing()) killedAt[point] += 1;
    await Promise.all(over);
    if (round % 10 === 9) say(`${(round + 1) * stage.victims.app.length} kills, ${buyers.length} buyers`);
  }
  await Promise.all(acting);
  await toss.heal();
  const rightAfterSeconds = await untilRight({ client, toss });
  const { payments, effects } = await toss.read();
  const { rows } = await client.query<{ n: number }>('select count(*)::int as n from purchases');
  return {
    seed,
    kills: stage.victims.app.reduce((sum, victim) => sum + victim.kills, 0),
    purchases: rows[0]?.n ?? 0,
    killedAt,
    paid: payments.filter(({ isPaid }) => isPaid).length,
    refunded: effects.filter(({ what }) => what === 'cancel').length,
    rightAfterSeconds,
    findings: [
      ...buyers.flatMap(({ findings }) => findings),
      ...(await findWrongPurchases(client, { payments, effects })),
      ...(await findWrongBooks(client)),
      ...POINTS.filter((point) => kills >= ALL_POINTS && killedAt[point] === 0).map(
        (point) => `nothing was killed while a purchase was ${point}`,
      ),
    ],
  };
}

function rarest(killedAt: Readonly<Record<Point, number>>): Point {
  return POINTS.reduce((least, point) => (killedAt[point] < killedAt[least] ? point : least));
}

async function untilSomebodyIs(wanted: Point, standing: () => Promise<Iterable<Point>>): Promise<void> {
  const deadline = Date.now() + AIMED_WITHIN_MS;
  while (Date.now() < deadline && ![...(await standing())].includes(wanted)) await sleep(10);
}

export function textOfPurchases({ findings, killedAt, ...report }: PurchasesReport): string {
  return [
    `seed ${report.seed}: ${report.kills} kills, ${report.purchases} purchases, ${report.paid} paid, ${report.refunded} refunds; right after ${report.rightAfterSeconds} s`,
    'killed while a purchase was',
    ...Object.entries(killedAt).map(([point, times]) => `  ${String(times).padStart(6)}  ${point}`),
    findings.length === 0 ? 'nothing found' : `FOUND ${findings.length}:`,
    ...findings.map((finding) => `  ${finding}`),
    '',
  ].join('\n');
}
