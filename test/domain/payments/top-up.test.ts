import { expect, test } from '@jest/globals';
import {
  DECLINES,
  decideAfterTopUp,
  decideTopUp,
  MOST_TOP_UPS_A_DAY,
  type Decline,
  type TopUpFacts,
} from '../../../domain/payments/top-up.ts';

const HOUR = 3_600_000;
const NOW = Date.UTC(2026, 10, 30);
const LOW: TopUpFacts = {
  state: 'on',
  way: 'charge',
  belowTokens: 10_000,
  remainingTokens: 9_999,
  debtTokens: 0,
  isSuspended: false,
  isDisputed: false,
  isSold: true,
  amount: 4_900,
  monthlyLimit: 9_800,
  spentThisMonth: 4_900,
  monthEndsAt: NOW + 24 * HOUR,
  madeToday: [],
  claimedUntil: null,
  now: NOW,
};

test('tokens are bought when they fall below the threshold, and for nobody who has a reason not to', () => {
  const today = Array.from({ length: MOST_TOP_UPS_A_DAY }, (_, n) => NOW - (5 - n) * HOUR);
  const rest = (why: string, until: number | null = null) => ({ do: 'nothing', why, until });
  const rows: [Partial<TopUpFacts>, object][] = [
    [{}, { do: 'charge' }],
    [{ claimedUntil: NOW }, { do: 'charge' }],
    [{ madeToday: today.slice(1) }, { do: 'charge' }],
    [{ way: 'remind', isDisputed: true, debtTokens: 1, spentThisMonth: 9_800 }, { do: 'remind' }],
    [{ state: 'off' }, rest('off')],
    [{ state: 'paused' }, rest('off')],
    [{ remainingTokens: 10_000 }, rest('enough')],
    [{ claimedUntil: NOW + 1 }, rest('claimed', NOW + 1)],
    [{ isSold: false }, { do: 'pause', why: 'pack_changed' }],
    [
      { isSold: false, way: 'remind' },
      { do: 'pause', why: 'pack_changed' },
    ],
    [{ isSuspended: true, isDisputed: true }, rest('suspended', NOW + HOUR)],
    [{ isSuspended: true, way: 'remind' }, rest('suspended', NOW + HOUR)],
    [{ isDisputed: true }, rest('disputed', NOW + HOUR)],
    [{ debtTokens: 1 }, rest('debt', NOW + HOUR)],
    [{ spentThisMonth: 4_901 }, rest('monthly_limit', NOW + 24 * HOUR)],
    [{ madeToday: today }, rest('daily_limit', NOW + 19 * HOUR)],
    [{ madeToday: [NOW - 6 * HOUR, ...today] }, rest('daily_limit', NOW + 19 * HOUR)],
  ];
  for (const [facts, step] of rows) expect([facts, decideTopUp({ ...LOW, ...facts })]).toEqual([facts, step]);
});

test('a card that is declined is asked at 0, 1, 3 and 7 hours, and then no more', () => {
  const at: number[] = [];
  let [now, declines] = [0, 0];
  for (;;) {
    at.push(now / HOUR);
    const after = decideAfterTopUp({ outcome: 'declined', decline: 'insufficient_funds' }, { declines, now });
    ({ declines } = after);
    if (after.claimedUntil === null) {
      expect(after.pause).toBe('insufficient_funds');
      break;
    }
    now = after.claimedUntil;
  }
  expect(at).toEqual([0, 1, 3, 7]);
});

test('what no other try can change pauses at once, a bank that is away counts as nothing, a payment ends the row', () => {
  const final = new Set<Decline>(['authentication_required', 'card_expired', 'card_unusable']);
  for (const decline of DECLINES) {
    const { pause, declines, claimedUntil } = decideAfterTopUp(
      { outcome: 'declined', decline },
      { declines: 0, now: NOW },
    );
    expect([decline, pause]).toEqual([decline, final.has(decline) ? decline : null]);
    expect([decline, declines]).toEqual([decline, decline === 'bank_away' ? 0 : 1]);
    expect([decline, claimedUntil]).toEqual([decline, final.has(decline) ? null : NOW + HOUR]);
  }
  const three = { declines: 3, now: NOW };
  expect(decideAfterTopUp({ outcome: 'paid', decline: null }, three)).toEqual({
    declines: 0,
    claimedUntil: null,
    pause: null,
  });
  expect(decideAfterTopUp({ outcome: 'unwanted', decline: null }, three)).toMatchObject({ declines: 3, pause: null });
  for (const outcome of ['card_gone', 'mismatch'] as const)
    expect(decideAfterTopUp({ outcome, decline: null }, three)).toMatchObject({ pause: outcome });
});
