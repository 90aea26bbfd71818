import { getPrompt, markFirstDelta } from '../../db/turns/prompts.ts';
import { readTranscript, type StoredMessage } from '../../db/turns/transcript.ts';
import type { Sql } from '../../db/database.ts';
import type { OpenedAttempt } from '../../db/turns/attempts.ts';
import type { Model } from '../../domain/model.ts';
import { encodeDelta, textOfCalls, type ChoiceDelta } from '../../domain/choice.ts';
import { systemText } from '../../domain/own-instructions.ts';
import { machineWordOf } from '../../domain/provider-error.ts';
import type { ApiAnswer } from '../../domain/api-prompt.ts';
import type { PromptMessage, PromptPart, Usage } from '../../domain/usage.ts';
import { readContent } from '../../operations/files/contents.ts';
import type { Ask, ModelEnd } from '../../platform/model/exchange.ts';
import type { ObjectStore } from '../../platform/objects/object-store.ts';
import type { ActivityDeps } from '../deps.ts';

/**
 * What the model is asked: the conversation so far, or what a caller of the OpenAI door brought, as it came.
 * @throws ObjectStoreAway.
 */
export async function askOf(
  { database, objects }: Pick<ActivityDeps, 'database' | 'objects'>,
  { turn, hold }: OpenedAttempt,
  model: Model,
): Promise<Ask> {
  if (turn.isApi) return getPrompt(database.sql, turn.id);
  const messages = await readTranscript(database.sql, turn, {
    ...model,
    ...hold,
    instructions: systemText(model.instructions, turn.instructions),
  });
  return { messages: await Promise.all(messages.map((message) => withImages(database.sql, objects, message))) };
}

/** The message with the bytes of its images, which leave the process only for the model. */
async function withImages(
  on: Sql,
  objects: ObjectStore | null,
  { role, content }: StoredMessage,
): Promise<PromptMessage> {
  if (typeof content === 'string') return { role, content };
  const parts = content.map(async (part): Promise<PromptPart> => {
    if (part.type === 'text') return part;
    const bytes = await readContent(on, objects, part.file);
    return { type: 'image_url', image_url: { url: `data:${part.file.mediaType};base64,${bytes.toString('base64')}` } };
  });
  return { role, content: await Promise.all(parts) };
}

/** A way for an answer to leave. */
export interface Delivery {
  /** @param text as people read it. */
  delta(text: string, delta: ChoiceDelta): void;
  /** Resolves when nothing waits any more. @throws what kept it from leaving. */
  settled(): Promise<void>;
}

/**
 * What the OpenAI door's turns answer leaves only when PostgreSQL knows that it does: its client cannot take it back,
 * and so no other attempt may answer once it has some. Other text leaves at once.
 * @param deliver takes text, or lines of `encodeDelta` for the door.
 */
export function openDelivery(
  { database }: Pick<ActivityDeps, 'database'>,
  { turn }: OpenedAttempt,
  { deliver, persist }: { deliver: (text: string) => void; persist: (work: () => Promise<void>) => Promise<void> },
): Delivery {
  if (!turn.isApi) return { delta: deliver, settled: () => Promise.resolve() };
  let waiting = '';
  let isOpen = false;
  let opening: Promise<void> | null = null;
  const open = async () => {
    await persist(() => markFirstDelta(database, turn.id));
    isOpen = true;
    deliver(waiting);
    waiting = '';
  };
  return {
    delta(_text, delta) {
      const line = encodeDelta(delta);
      if (isOpen) return deliver(line);
      waiting += line;
      // What it throws reaches `settled`.
      if (opening === null) (opening = open()).catch(() => {});
    },
    settled: () => opening ?? Promise.resolve(),
  };
}

/** What a call brought, as it is stored: the text, what else was written, and for the OpenAI door what else is told. */
export interface Written {
  readonly text: string;
  /** Written beside the text, and counted with it. */
  readonly beside: string;
  toldBeside(usage: Usage): ApiAnswer | null;
}

export function writtenBy({ turn }: OpenedAttempt, end: ModelEnd, text: string): Written {
  const { choice } = end;
  if (!turn.isApi) return { text, beside: textOfCalls(choice), toldBeside: () => null };
  const { content, refusal, calls, logprobs } = choice;
  return {
    text: content,
    beside: `${refusal}${textOfCalls(choice)}`,
    toldBeside: ({ cachedTokens, reasoningTokens }) => ({
      refusal: refusal === '' ? null : refusal,
      calls,
      logprobs,
      finish: (end.isCut ? null : machineWordOf(end.finishWord)) ?? end.finishReason ?? 'stop',
      cachedTokens,
      reasoningTokens,
    }),
  };
}
