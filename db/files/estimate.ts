import { sql } from 'kysely';
import { decideAdmission, type AdmissionInput, type HoldSize } from '../../domain/admission.ts';
import { AppError } from '../../domain/errors.ts';
import { isSeenBy } from '../../domain/files/file.ts';
import type { PricedModel } from '../../domain/model.ts';
import { countPrompt } from '../../domain/prompt-tokens.ts';
import { first, type Database } from '../database.ts';
import { getFiles } from './files.ts';
import { weighFiles } from './turn-files.ts';
import { readAccount } from '../money/accounts.ts';
import { readUsage } from '../money/usage.ts';
import { parentSequence } from '../turns/branches.ts';
import { readHistory, type CountTokens } from '../turns/transcript.ts';

/** A question that is not sent yet. */
export interface AskedToEstimate {
  readonly userId: number;
  readonly accountId: number;
  readonly conversationId: string | null;
  readonly parentTurnId?: string | null | undefined;
  readonly fileIds: readonly string[];
  /** Tokenizer count of the message. */
  readonly messageTokens: number;
  readonly askedOutput: number | null;
}

export interface Estimated {
  /** The hold that a send would make now; while it would be refused, what it would make with room enough. */
  readonly hold: Pick<HoldSize, 'tokens' | 'promptTokens' | 'outputLimit'>;
  readonly fileTokens: number;
  readonly refusal: 'TOKEN_EXHAUSTED' | 'tokens_held' | 'context_length' | null;
}

/** Room for any turn. */
const ENDLESS = 10 ** 13;

/**
 * What a question would cost at most, by the same rule and the same figures as its admission, without a lock: what
 * others hold may be another a moment later.
 * @throws AppError not_found (conversation, parent), file_not_found, model_sees_no_images.
 */
export async function estimateTurn(
  database: Database,
  asked: AskedToEstimate,
  model: PricedModel,
  countTokens: CountTokens,
): Promise<Estimated> {
  const on = database.reads;
  const { accountId } = asked;
  const count = (text: string) => countTokens(text, model.encoding, accountId);
  const files = await getFiles(on, asked);
  if (!files.every((file) => isSeenBy(model, file))) throw new AppError('model_sees_no_images', { field: 'files' });
  const [own, history, account] = await Promise.all([
    weighFiles(on, files, model, count),
    readHistoryThere(database, asked, model, countTokens),
    readRoom(database, accountId),
  ]);
  const question = countPrompt(
    model.instructions === '' ? [asked.messageTokens] : [await count(model.instructions), asked.messageTokens],
  );
  const input: AdmissionInput = {
    ...account,
    model,
    askedOutput: asked.askedOutput,
    baseTokens: question + own.tokens,
    history,
  };
  const decision = decideAdmission(input);
  if (decision.kind === 'admitted') return { hold: decision.hold, fileTokens: own.tokens, refusal: null };
  const refusal =
    decision.kind === 'context_length'
      ? 'context_length'
      : decision.code === 'tokens_held'
        ? 'tokens_held'
        : 'TOKEN_EXHAUSTED';
  const roomy = decideAdmission({ ...input, balance: { ...input.balance, allowance: ENDLESS }, heldByOthers: 0 });
  const hold = roomy.kind === 'admitted' ? roomy.hold : { tokens: 0, promptTokens: input.baseTokens, outputLimit: 0 };
  return { hold, fileTokens: own.tokens, refusal };
}

async function readHistoryThere(
  { reads }: Database,
  { userId, accountId, conversationId, parentTurnId }: AskedToEstimate,
  model: PricedModel,
  countTokens: CountTokens,
) {
  if (conversationId === null) return [];
  const place = await first(
    sql<{ sequence: number; parentSequence: number | null }>`select last_sequence + 1 as sequence,
        ${parentSequence(conversationId, parentTurnId)} as "parentSequence"
      from conversations where id = ${conversationId} and user_id = ${userId} and erased_at is null`,
    reads,
  );
  if (place === null || (typeof parentTurnId === 'string' && place.parentSequence === null))
    throw new AppError('not_found');
  if (place.sequence === 1 || place.parentSequence === 0) return [];
  return readHistory(reads, { conversationId, accountId, ...place }, model, countTokens);
}

/** The figures by which admission decides. The first touch in a new period opens it. */
async function readRoom(
  database: Database,
  accountId: number,
): Promise<Pick<AdmissionInput, 'balance' | 'heldByOthers'>> {
  const on = database.reads;
  const beside = sql<{ heldByOthers: number }>`select coalesce(sum(tokens), 0)::float8 as "heldByOthers" from holds
    where account_id = ${accountId} and ended_at is null and expires_at > ${on.clock()}`;
  const read = () => readAccount(on, { accountId, beside });
  let account = await read();
  if (account === null) {
    await readUsage(database, { accountId });
    account = await read();
  }
  if (account === null) throw new Error(`account ${accountId} has no open period`);
  return { balance: account.balance, heldByOthers: account.heldByOthers };
}
