import { setTimeout as sleep } from 'node:timers/promises';
import { acceptTurn, findAccepted, type Accepted } from '../../db/turns/accept.ts';
import { findWaitedFor, isErased, joinLeft, takeOver } from '../../db/turns/prompts.ts';
import { imagesOf, promptTokens, textOfPrompt } from '../../domain/api-prompt.ts';
import { AppError } from '../../domain/errors.ts';
import { writeOrFind } from '../../operations/look-up.ts';
import type { ApiDeps, Caller } from '../context.ts';
import { readIdempotencyKey } from '../http/idempotency-key.ts';
import type { Arrival } from '../http/overload.ts';
import type { MessageCounter } from '../turns/count-message.ts';
import { assertOn, modelOf } from '../turns/offered.ts';
import { assertAdmissible } from '../turns/refusal.ts';
import { assertFew } from './prompt/images.ts';
import type { OpenAiRequest } from './protocol.ts';

/** Texts are counted in parts of so many UTF-16 units, so that other people's go in between. */
const PART = 32_000;
/** How long a client's retry waits until its first connection is seen to be gone. */
const LOOKS = { times: 5, everyMs: 200 };

/**
 * Writes the turn of a request, with a conversation of its own; or finds the one that it repeats.
 * @throws AppError as a send does; answer_erased.
 */
export async function acceptRequest(
  deps: ApiDeps,
  { arrival, counter }: { arrival: Arrival; counter: MessageCounter },
  caller: Caller,
  asked: OpenAiRequest,
): Promise<Accepted> {
  const { userId, accountId } = caller.principal;
  const model = await modelOf(deps, caller, asked.model);
  const { bodyHash, prompt, label, streamed, askedOutput } = asked;
  const images = imagesOf(prompt);
  assertFew(images, 'messages');
  if (model.vision === null && images.length > 0) throw new AppError('model_sees_no_images', { field: 'messages' });
  const idempotencyKey = readIdempotencyKey(caller);
  if (idempotencyKey === null && isRetry(caller)) {
    const joined = await joinOwn(deps, caller, bodyHash);
    if (joined !== null) return joined;
  }
  const text = textOfPrompt(prompt);
  const request = {
    userId,
    accountId,
    apiKeyId: caller.keyId,
    turnId: null,
    idempotencyKey,
    conversationId: null,
    message: '',
    api: { apiKeyId: caller.keyId, prompt, label, streamed, waitingProcess: deps.presence.id },
    isLong: counter.isLong(text),
    countMessage: async () => {
      let tokens = 0;
      for (let at = 0; at < text.length; at += PART)
        tokens += await counter.count(text.slice(at, at + PART), model.encoding, accountId);
      return promptTokens(tokens, prompt, model.vision);
    },
    encoding: model.encoding,
    model: model.name,
    askedOutput,
    bodyHash,
  };
  const accepted = await writeOrFind(
    () =>
      acceptTurn(deps.database, request, async ({ isUnknown }) => {
        await assertOn(deps, model.name);
        if (isUnknown) {
          arrival.look();
          await assertAdmissible(deps, caller, request);
        }
        await arrival.enter();
      }),
    async ({ turnId }) => (turnId === undefined ? null : findAccepted(deps.database, { turnId, accountId, bodyHash })),
  );
  const { turnId } = accepted.turn;
  if (accepted.decision === 'stored' && (await isErased(deps.database.sql, turnId)))
    throw new AppError('answer_erased', { turnId });
  return accepted;
}

/** The one sign that OpenAI's own clients give of a repetition. Anything but a whole number is none. */
function isRetry({ request }: Caller): boolean {
  return /^[1-9]\d{0,2}$/.test(request.get('x-stainless-retry-count') ?? '');
}

/**
 * The turn of a connection that was lost, for the first retry that asks for it. A process that was killed has noted
 * nothing: what it waited for is taken from it.
 */
async function joinOwn(deps: ApiDeps, { principal, keyId }: Caller, bodyHash: Buffer): Promise<Accepted | null> {
  const request = { userId: principal.userId, apiKeyId: keyId, bodyHash, waitingProcess: deps.presence.id };
  for (let look = 0; look < LOOKS.times; look += 1) {
    const found = await joinLeft(deps.database, request);
    if (found === 'none') break;
    if (found !== 'wait') return { decision: 'join', turn: found };
    await sleep(LOOKS.everyMs);
  }
  for (const waited of await findWaitedFor(deps.database.sql, request)) {
    if (!(await deps.presence.isGone(waited.waitingProcess))) continue;
    const turn = await takeOver(deps.database, waited, deps.presence.id);
    if (turn !== null) return { decision: 'join', turn };
  }
  return null;
}
