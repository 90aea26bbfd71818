import { getPrompt, markFirstDelta } from '../../db/turns/prompts.ts';
import { readTranscript } from '../../db/turns/transcript.ts';
import type { OpenedAttempt } from '../../db/turns/attempts.ts';
import type { Model } from '../../domain/model.ts';
import type { ModelRequest } from '../../platform/model/exchange.ts';
import type { ActivityDeps } from '../deps.ts';

/** What the model is asked: the conversation so far, or what a caller of the OpenAI door brought, as it came. */
export async function askOf(
  { database }: Pick<ActivityDeps, 'database'>,
  { turn, hold }: OpenedAttempt,
  model: Model,
): Promise<Pick<ModelRequest, 'messages' | 'parameters'>> {
  if (turn.isApi) return getPrompt(database.sql, turn.id);
  const messages = await readTranscript(database.sql, turn, {
    instructions: model.instructions,
    historyFrom: hold.historyFrom,
    unanswered: model.unanswered,
  });
  return { messages };
}

/** A way for text to leave. */
export interface Delivery {
  delta(text: string): void;
  /** Resolves when nothing waits any more. @throws what kept it from leaving. */
  settled(): Promise<void>;
}

/**
 * Text of the OpenAI door leaves only when PostgreSQL knows that it does: its client cannot take it back, and so no
 * other attempt may answer once it has some. Other text leaves at once.
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
    delta(text) {
      if (isOpen) return deliver(text);
      waiting += text;
      // What it throws reaches `settled`.
      if (opening === null) (opening = open()).catch(() => {});
    },
    settled: () => opening ?? Promise.resolve(),
  };
}
