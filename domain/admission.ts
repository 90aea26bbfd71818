import type { KeyCap } from './api-keys.ts';
import type { Balance } from './balance.ts';
import { FILE_LIMITS } from './files/file.ts';
import { meter, outputThatFits } from './metering.ts';
import type { Model } from './model.ts';
import { ceilingOf, LEAST_OUTPUT, levelOf, totalAvailable } from './policy.ts';

/** One earlier turn of the conversation. Its tokens are its messages' text + 4 each. */
export interface HistoryTurn {
  readonly sequence: number;
  readonly tokens: number;
  /** What its files weigh, beside its text; absent: it has none. */
  readonly files?: { readonly tokens: number; readonly bytes: number } | undefined;
}

export interface AdmissionInput {
  readonly balance: Balance;
  /** Sum of the account's live holds, without any of this turn. */
  readonly heldByOthers: number;
  /** The cap of the key with which the turn came; absent or null: it has none. */
  readonly cap?: KeyCap | null;
  readonly model: Pick<
    Model,
    'historyTokens' | 'historyFileTokens' | 'contextWindow' | 'maxOutputTokens' | 'defaultOutputTokens' | 'rate'
  >;
  /** The output limit that the request asked for; null for the model's default. */
  readonly askedOutput: number | null;
  /** Tokenizer count of instructions and question as a prompt (text + 4 a message + 3). */
  readonly baseTokens: number;
  /** Earlier turns, newest first. The oldest are left out when not all fit. */
  readonly history: readonly HistoryTurn[];
}

export type AdmissionDecision =
  | { readonly kind: 'admitted'; readonly hold: HoldSize }
  | { readonly kind: 'refused'; readonly code: 'KEY_CAP_REACHED' | 'TOKEN_EXHAUSTED' | 'tokens_held' }
  /** Even the question alone, with the least answer, does not fit the model's context window. */
  | { readonly kind: 'context_length' };

export interface HoldSize {
  readonly tokens: number;
  /** Tokenizer count of the whole prompt: what an `estimated` debit uses. */
  readonly promptTokens: number;
  readonly outputLimit: number;
  /** Sequence number of the oldest turn in the prompt; null when the prompt is only the question. */
  readonly historyFrom: number | null;
  /** Sequence number of the oldest turn whose files are in the prompt; null: only the question's own are. */
  readonly filesFrom: number | null;
}

/**
 * ceil(tokenizer count × 1.1) + 16, because providers wrap messages differently and a hold must not be short (policy
 * 5).
 */
export function estimatePrompt(promptTokens: number): number {
  return Math.ceil((promptTokens * 11) / 10) + 16;
}

/**
 * The one admission rule (policy 5, G1, G2). Before anything is refused for lack of room, the files of earlier turns
 * are given up, then history turn by turn, and the answer's limit shrinks to what fits, but never under min(asked,
 * 256). A key's cap bounds its turns beside the ceiling, and is named first where both refuse.
 */
export function decideAdmission(input: AdmissionInput): AdmissionDecision {
  const total = totalAvailable(input.balance);
  const used = input.balance.used;
  const prompts = promptsThatMayBeSent(input);
  const fits = (room: number) => largestHold(input, prompts, room);
  const cap = input.cap ?? null;
  const underCap = cap === null ? Infinity : cap.tokens - cap.used;
  if (cap !== null && prompts.length > 0 && fits(underCap) === null)
    return { kind: 'refused', code: 'KEY_CAP_REACHED' };
  if (levelOf(used, total) === 'BLOCKED') return { kind: 'refused', code: 'TOKEN_EXHAUSTED' };
  if (prompts.length === 0) return { kind: 'context_length' };
  const room = ceilingOf(total) - used;
  const hold = fits(Math.min(room - input.heldByOthers, underCap - (cap?.held ?? 0)));
  if (hold !== null) return { kind: 'admitted', hold };
  return { kind: 'refused', code: fits(room) === null ? 'TOKEN_EXHAUSTED' : 'tokens_held' };
}

type Prompt = Pick<HoldSize, 'promptTokens' | 'historyFrom' | 'filesFrom'>;

/**
 * @returns the prompts to try, from the longest history that fits `historyTokens` and the context window down to none;
 *   the longest first with the files of the nearest turns, as far as they fit `historyFileTokens`.
 */
function promptsThatMayBeSent(input: AdmissionInput): Prompt[] {
  const { model, baseTokens, history } = input;
  const prompts: Prompt[] = [{ promptTokens: baseTokens, historyFrom: null, filesFrom: null }];
  let historyTokens = 0;
  for (const turn of history) {
    historyTokens += turn.tokens;
    if (historyTokens > model.historyTokens) break;
    prompts.push({ promptTokens: baseTokens + historyTokens, historyFrom: turn.sequence, filesFrom: null });
  }
  const longest = prompts.at(-1);
  let [fileTokens, fileBytes] = [0, 0];
  for (const { sequence, files } of history.slice(0, prompts.length - 1)) {
    if (files === undefined) continue;
    [fileTokens, fileBytes] = [fileTokens + files.tokens, fileBytes + files.bytes];
    if (longest === undefined || fileTokens > model.historyFileTokens || fileBytes > FILE_LIMITS.perTurnBytes) break;
    prompts.push({ ...longest, promptTokens: longest.promptTokens + fileTokens, filesFrom: sequence });
  }
  const least = leastOutput(input);
  return prompts.filter((prompt) => prompt.promptTokens + least <= input.model.contextWindow).reverse();
}

function largestHold(input: AdmissionInput, prompts: readonly Prompt[], room: number): HoldSize | null {
  for (const { promptTokens, historyFrom, filesFrom } of prompts) {
    const estimate = estimatePrompt(promptTokens);
    const outputLimit = Math.min(
      wantedOutput(input),
      input.model.contextWindow - promptTokens,
      outputThatFits(room, estimate, input.model.rate),
    );
    if (outputLimit < leastOutput(input)) continue;
    const tokens = meter({ promptTokens: estimate, cachedTokens: 0, completionTokens: outputLimit }, input.model.rate);
    return { tokens, promptTokens, outputLimit, historyFrom, filesFrom };
  }
  return null;
}

function wantedOutput({ askedOutput, model }: AdmissionInput): number {
  return Math.min(askedOutput ?? model.defaultOutputTokens, model.maxOutputTokens);
}

function leastOutput(input: AdmissionInput): number {
  return Math.min(wantedOutput(input), LEAST_OUTPUT);
}
