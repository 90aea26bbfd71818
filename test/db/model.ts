/**
 * The policy written a second time, as plainly as possible: tokens are moved one by one and limits are found by trying.
 * It imports nothing of the program, so that a mistake there is not repeated here.
 */
export interface Rules {
  /** The rules of the policy; wrong ones are the property's controls. */
  readonly spendFirst: 'bought' | 'free';
  readonly forgiveAtReset: boolean;
  readonly grantPaysDebt: boolean;
  readonly ceilingPercent: number;
  readonly holdOutlivesAnswer: boolean;
  readonly debitsByTheRateOf: 'hold' | 'now';
  readonly adjustmentsRollUp: boolean;
}

export const POLICY: Rules = {
  spendFirst: 'bought',
  forgiveAtReset: true,
  grantPaysDebt: true,
  ceilingPercent: 105,
  holdOutlivesAnswer: true,
  debitsByTheRateOf: 'hold',
  adjustmentsRollUp: true,
};

export interface ModelRate {
  version: number;
  input: number;
  cached: number;
  output: number;
}

export interface ModelHold {
  run: string;
  state: 'pending' | 'settled' | 'released' | 'expired';
  tokens: number;
  limit: number;
  prompt: number;
  rate: ModelRate;
  until: number;
}

export interface ModelAttempt {
  state: 'open' | 'answered' | 'stopped' | 'failed' | 'lost';
  hold: ModelHold;
  run: string;
  usage: number | null;
}

export interface ModelTurn {
  id: string;
  conversation: number;
  sequence: number;
  body: string;
  words: number;
  asked: number | null;
  state: 'accepted' | 'running' | 'completed' | 'stopped' | 'failed' | 'refused';
  code: string | null;
  everAdmitted: boolean;
  admitted: boolean;
  /** That last held it or ended it. */
  run: string | null;
  stop: boolean;
  holds: ModelHold[];
  attempts: ModelAttempt[];
  answer: {
    attempt: number;
    outcome: 'completed' | 'stopped';
    prompt: number;
    cached: number;
    completion: number;
    estimated: boolean;
  } | null;
  debit: { tokens: number; version: number; overHold: boolean; ceilingMoved: boolean } | null;
}

export const ALLOWANCE = 3_000;
export const RATE: ModelRate = { version: 1, input: 1_100, cached: 300, output: 700 };
const DEFAULT_OUTPUT = 2_048;

export class Account {
  now: number;
  month: number | null = null; // months since year 0, of the open period
  free = 0;
  bought = 0;
  owed = 0;
  spentBought = 0;
  spentFree = 0;
  over = 0;
  used = 0;
  granted = 0;
  reversed = 0;
  spentBoughtBefore = 0;
  /** The catalogue's present rate. */
  rate = RATE;
  /** Turns, prompt, cached, completion and used tokens by month, day and version. Version 0 is adjustments. */
  readonly rollups = new Map<string, number[]>();
  /** Whether something happened that may explain a total beyond the ceiling. */
  moved = false;
  readonly turns: ModelTurn[] = [];
  readonly lastSequence: number[] = [];
  readonly rules: Rules;

  constructor(now: number, rules: Rules) {
    this.now = now;
    this.rules = rules;
  }

  // Seoul is nine hours ahead of UTC all year.
  monthNow(): number {
    const wall = new Date(this.now + 9 * 3_600_000);
    return wall.getUTCFullYear() * 12 + wall.getUTCMonth();
  }

  rollUp(version: number, figures: readonly number[]): void {
    const wall = new Date(this.now + 9 * 3_600_000);
    const day = `${wall.getUTCFullYear()}-${two(wall.getUTCMonth() + 1)}-${two(wall.getUTCDate())}`;
    const key = `${day.slice(0, 7)} ${day} ${version}`;
    const before = this.rollups.get(key) ?? [0, 0, 0, 0, 0];
    this.rollups.set(
      key,
      before.map((figure, i) => figure + figures[i]!),
    );
  }

  touch(): void {
    const month = this.monthNow();
    if (this.month === month) return;
    if (this.month !== null && (this.used > 0 || this.over > 0)) this.moved = true;
    this.month = month;
    this.spentBoughtBefore += this.spentBought;
    const kept = this.rules.forgiveAtReset ? 0 : this.over;
    this.free = ALLOWANCE;
    this.spentBought = 0;
    this.spentFree = 0;
    this.over = kept;
    this.used = kept;
  }

  total(): number {
    return ALLOWANCE + this.bought + this.spentBought;
  }

  ceiling(): number {
    let ceiling = this.total();
    while ((ceiling + 1) * 100 <= this.total() * this.rules.ceilingPercent) ceiling++;
    return ceiling;
  }

  held(except: ModelTurn | null = null): number {
    let sum = 0;
    for (const turn of this.turns)
      for (const hold of turn.holds)
        if (turn !== except && hold.state === 'pending' && hold.until > this.now) sum += hold.tokens;
    return sum;
  }

  spend(tokens: number): void {
    for (let i = 0; i < tokens; i++) {
      this.used++;
      const first = this.rules.spendFirst === 'bought' ? this.bought > 0 : this.free === 0 && this.bought > 0;
      if (first) {
        this.bought--;
        this.spentBought++;
      } else if (this.free > 0) {
        this.free--;
        this.spentFree++;
      } else this.over++;
    }
  }

  grant(tokens: number): void {
    this.touch();
    this.granted += tokens;
    for (let i = 0; i < tokens; i++) {
      if (this.over > 0) {
        this.over--;
        this.spentBought++;
      } else if (this.owed > 0 && this.rules.grantPaysDebt) this.owed--;
      else this.bought++;
    }
  }

  reverse(tokens: number): void {
    this.touch();
    this.reversed += tokens;
    this.moved = true;
    for (let i = 0; i < tokens; i++) {
      if (this.bought > 0) this.bought--;
      else this.owed++;
    }
  }

  setUsed(wanted: number): void {
    if (wanted !== this.used && this.rules.adjustmentsRollUp) this.rollUp(0, [0, 0, 0, 0, wanted - this.used]);
    if (wanted > this.used) this.spend(wanted - this.used);
    while (this.used > wanted) {
      this.used--;
      if (this.over > 0) this.over--;
      else if (this.spentFree > 0) {
        this.spentFree--;
        this.free++;
      } else {
        this.spentBought--;
        this.bought++;
      }
    }
  }

  isBusy(conversation: number): boolean {
    return this.turns.some((turn) => turn.conversation === conversation && isLive(turn));
  }

  nextSequence(conversation: number): number {
    return (this.lastSequence[conversation] = (this.lastSequence[conversation] ?? 0) + 1);
  }

  /** What a run gets when it asks for tokens; only one that came of a reset opens an ended turn. */
  reserve(
    turn: ModelTurn,
    run: string,
    isReset = false,
  ): 'completed' | 'stopped' | 'refused' | 'held' | 'answered' | `failed ${string}` {
    if (turn.state === 'completed' || turn.state === 'stopped') return turn.state;
    if (isLive(turn) && turn.answer !== null) return 'answered';
    if (isLive(turn) && turn.stop) {
      this.end(turn, 'stopped', null, run);
      return 'stopped';
    }
    const claim = pending(turn);
    if (claim !== null && isLive(turn) && claim.run === run && claim.until > this.now) return 'held';
    if (!isLive(turn)) {
      if (!isReset || turn.run === run) return turn.state === 'refused' ? 'refused' : `failed ${turn.code}`;
      if (this.isBusy(turn.conversation)) return 'failed conversation_busy';
      this.reopen(turn);
    }
    if (claim !== null) claim.state = claim.until > this.now ? 'released' : 'expired';
    turn.run = run;
    this.touch();
    const room = this.ceiling() - this.used;
    const size =
      room < 400 || this.used * 100 >= this.total() * this.rules.ceilingPercent
        ? null
        : fit(turn, room - this.held(turn), this.rate);
    if (size === null) {
      const without = room < 400 ? null : fit(turn, room, this.rate);
      const code = without === null ? 'TOKEN_EXHAUSTED' : 'tokens_held';
      if (!turn.everAdmitted) {
        this.end(turn, 'refused', code, run);
        return 'refused';
      }
      this.end(turn, 'failed', 'TOKEN_EXHAUSTED', run);
      return 'failed TOKEN_EXHAUSTED';
    }
    turn.holds.push({ run, state: 'pending', ...size, rate: this.rate, until: this.now + holdFor(size.limit) });
    turn.state = 'accepted';
    turn.everAdmitted = true;
    turn.admitted = true;
    turn.run = run;
    if (this.used + this.held() > this.ceiling()) throw new Error('the model itself passed the ceiling');
    return 'held';
  }

  open(turn: ModelTurn, run: string): ReturnType<Account['reserve']> | 'opened' | 'left alone' {
    if (this.isSuperseded(turn, run, false)) return 'left alone';
    const reserved = this.reserve(turn, run, true);
    const hold = pending(turn);
    if (reserved !== 'held' || hold === null) return reserved;
    for (const attempt of turn.attempts) if (attempt.state === 'open') attempt.state = 'lost';
    if (turn.attempts.filter((attempt) => attempt.run === run).length === 4) {
      this.end(turn, 'failed', 'interrupted', run);
      return 'failed interrupted';
    }
    turn.attempts.push({ state: 'open', hold, run, usage: null });
    hold.until = this.now + holdFor(hold.limit);
    turn.state = 'running';
    turn.run = run;
    return 'opened';
  }

  /** @returns whether the answer was taken. */
  store(
    turn: ModelTurn,
    number: number,
    answer: {
      outcome: 'completed' | 'stopped';
      prompt: number;
      cached: number;
      completion: number;
      estimated: boolean;
    },
  ): boolean {
    const attempt = turn.attempts[number - 1];
    if (attempt === undefined) throw new Error('the model stores answers of attempts that were opened');
    const { hold } = attempt;
    const taken =
      turn.state === 'running' &&
      number === turn.attempts.length &&
      turn.answer === null &&
      hold.state === 'pending' &&
      hold.until > this.now;
    if (attempt.state === 'open')
      attempt.state = taken ? (answer.outcome === 'completed' ? 'answered' : 'stopped') : 'lost';
    attempt.usage ??= answer.prompt + answer.completion;
    if (!taken) return false;
    if (this.rules.holdOutlivesAnswer) hold.until = Infinity;
    turn.answer = { attempt: number, ...answer };
    return true;
  }

  /** @returns whether the turn is, or was, settled. */
  settle(turn: ModelTurn): boolean {
    if (turn.state === 'completed' || turn.state === 'stopped') {
      // A settled turn still says which schedules the account needs now, in the period that is open now.
      this.touch();
      return true;
    }
    const hold = pending(turn);
    if (turn.state !== 'running' || turn.answer === null || hold === null) return false;
    this.touch();
    const { prompt, cached, completion } = turn.answer;
    const rate = this.rules.debitsByTheRateOf === 'hold' ? hold.rate : this.rate;
    let tokens = cost(prompt, cached, completion, rate);
    if (turn.answer.estimated && tokens > hold.tokens) tokens = hold.tokens;
    const overHold = tokens > hold.tokens;
    if (overHold) this.moved = true;
    const ceiling = this.ceiling();
    this.spend(tokens);
    const ceilingMoved = !overHold && this.used > ceiling;
    if (ceilingMoved && !this.moved)
      throw new Error(`overshoot: ${this.used} of ${ceiling} with nothing to explain it`);
    turn.debit = { tokens, version: hold.rate.version, overHold, ceilingMoved };
    this.rollUp(hold.rate.version, [1, prompt, cached, completion, tokens]);
    hold.state = 'settled';
    turn.state = turn.answer.outcome;
    return true;
  }

  /** Whether a run that gives up, or opens an attempt, finds that the turn has gone on without it. */
  isSuperseded(turn: ModelTurn, run: string, late: boolean): boolean {
    if (turn.run === run) return !turn.admitted;
    return turn.holds.some((hold) => hold.run === run) || (late && pending(turn) !== null);
  }

  end(turn: ModelTurn, state: 'stopped' | 'failed' | 'refused', code: string | null, run: string): void {
    const hold = pending(turn);
    if (hold !== null) hold.state = 'released';
    for (const attempt of turn.attempts)
      if (attempt.state === 'open') attempt.state = state === 'stopped' ? 'stopped' : 'lost';
    turn.state = state;
    turn.code = code;
    turn.run = run;
  }

  reopen(turn: ModelTurn): void {
    if (turn.state === 'refused') turn.sequence = this.nextSequence(turn.conversation);
    turn.state = 'accepted';
    turn.code = null;
    turn.admitted = false;
    turn.stop = false;
  }
}

export function isLive(turn: ModelTurn): boolean {
  return turn.state === 'accepted' || turn.state === 'running';
}

export function pending(turn: ModelTurn): ModelHold | null {
  return turn.holds.find((hold) => hold.state === 'pending') ?? null;
}

function two(number: number): string {
  return String(number).padStart(2, '0');
}

/** The least whole number of tokens that covers all three at their rates. */
function cost(prompt: number, cached: number, completion: number, rate: ModelRate): number {
  const thousandths = (prompt - cached) * rate.input + cached * rate.cached + completion * rate.output;
  return (thousandths - (thousandths % 1000)) / 1000 + (thousandths % 1000 > 0 ? 1 : 0);
}

/** The longest answer that fits, found by trying; null when not even the smallest does. */
function fit(turn: ModelTurn, room: number, rate: ModelRate): { tokens: number; limit: number; prompt: number } | null {
  const prompt = turn.words + 4 + 3;
  let estimate = 16;
  while ((estimate - 16) * 10 < prompt * 11) estimate++;
  const wanted = turn.asked ?? DEFAULT_OUTPUT;
  for (let limit = wanted; limit >= (wanted < 256 ? wanted : 256); limit--) {
    const tokens = cost(estimate, 0, limit, rate);
    if (tokens <= room) return { tokens, limit, prompt };
  }
  return null;
}

/** 60 s, plus 1 s per 10 tokens, plus 2 minutes; every limit here is far below 30 minutes. */
function holdFor(limit: number): number {
  return 60_000 + 100 * limit + 120_000;
}
