/** One sentence of a report; its words are of the reader's language. */
export type Advice =
  | { readonly code: 'buy_ahead'; readonly days: number; readonly blockedTurns: number }
  | { readonly code: 'shorten_history'; readonly percent: number }
  | { readonly code: 'smaller_model'; readonly model: string; readonly percent: number; readonly smaller: string };

export interface Advised {
  readonly turns: number;
  readonly debitedTokens: number;
  readonly daysAt90: number;
  readonly blockedTurns: number;
  readonly history: { readonly promptTokens: number; readonly historyTokens: number } | null;
  readonly models: readonly {
    readonly model: string;
    readonly promptTokens: number;
    readonly completionTokens: number;
    readonly debitedTokens: number;
  }[];
}

const MOST_SENTENCES = 2;
/** Fewer turns say nothing about a habit. */
const LEAST_TURNS = 10;
const MUCH_HISTORY_PERCENT = 50;
const MAIN_MODEL_PERCENT = 50;
/** A model is smaller when a token of it costs at most half. */
const SMALLER = 0.5;

/** What would have helped, by rule: two sentences at most, the most useful first. */
export function adviceOf(month: Advised): Advice[] {
  return [...buyAhead(month), ...shortenHistory(month), ...smallerModel(month)].slice(0, MOST_SENTENCES);
}

function buyAhead({ blockedTurns, daysAt90 }: Advised): Advice[] {
  return blockedTurns === 0 ? [] : [{ code: 'buy_ahead', days: daysAt90, blockedTurns }];
}

function shortenHistory({ turns, history }: Advised): Advice[] {
  if (history === null || turns < LEAST_TURNS) return [];
  const percent = percentOf(history.historyTokens, history.promptTokens);
  return percent < MUCH_HISTORY_PERCENT ? [] : [{ code: 'shorten_history', percent }];
}

/** Only models that the person has used are compared: they know what those can do. */
function smallerModel({ turns, debitedTokens, models }: Advised): Advice[] {
  const [main, ...others] = models.toSorted((a, b) => b.debitedTokens - a.debitedTokens);
  if (main === undefined || turns < LEAST_TURNS) return [];
  const percent = percentOf(main.debitedTokens, debitedTokens);
  const cheapest = others.toSorted((a, b) => costOf(a) - costOf(b))[0];
  if (percent < MAIN_MODEL_PERCENT || cheapest === undefined || costOf(cheapest) > costOf(main) * SMALLER) return [];
  return [{ code: 'smaller_model', model: main.model, percent, smaller: cheapest.model }];
}

function costOf({ promptTokens, completionTokens, debitedTokens }: Advised['models'][number]): number {
  return debitedTokens / Math.max(1, promptTokens + completionTokens);
}

/** Floored, so that 100 is only said of all. */
export function percentOf(part: number, whole: number): number {
  return whole === 0 ? 0 : Math.floor((part / whole) * 100);
}
