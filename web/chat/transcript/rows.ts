import type { Schemas } from '../../api/schemas.ts';
import type { LiveTurn } from '../turns/turn-state.ts';

export type Message = Schemas['Message'];
export interface MessagePage {
  readonly items: readonly Message[];
  readonly nextCursor: string | null;
}

/** A row of the transcript. An answer keeps its key from its first delta until it is in the stored transcript. */
export type Row =
  | {
      readonly key: string;
      readonly kind: 'question';
      readonly turnId: string;
      readonly text: string;
      readonly message: Message | null;
      readonly live: boolean;
    }
  | { readonly key: string; readonly kind: 'answer'; readonly turnId: string; readonly message: Message | null };

/**
 * The rows of a stored transcript (newest page first, newest message first) and of the turns that this page watches,
 * oldest first.
 */
export function rowsOf(
  pages: readonly MessagePage[],
  turns: readonly LiveTurn[],
  conversationId: string | null,
): Row[] {
  const mine = new Map(
    turns.filter((turn) => turn.conversationId === conversationId).map((turn) => [turn.turnId, turn]),
  );
  const stored = pages.flatMap(({ items }) => items).toReversed();
  const answered = new Set(stored.filter(({ role }) => role === 'assistant').map(({ turnId }) => turnId));
  const asked = new Set(stored.filter(({ role }) => role === 'user').map(({ turnId }) => turnId));
  const rows: Row[] = [];
  for (const message of stored) {
    const { turnId } = message;
    if (message.role === 'assistant') rows.push({ key: `${turnId}:answer`, kind: 'answer', turnId, message });
    else {
      const live = mine.get(turnId);
      rows.push({
        key: `${turnId}:question`,
        kind: 'question',
        turnId,
        text: message.content,
        message,
        live: live !== undefined && live.phase !== 'ended',
      });
      if (!answered.has(turnId) && live !== undefined && hasAnswer(live))
        rows.push({ key: `${turnId}:answer`, kind: 'answer', turnId, message: null });
    }
  }
  for (const turn of mine.values()) {
    if (asked.has(turn.turnId) || answered.has(turn.turnId) || turn.question === null) continue;
    rows.push({
      key: `${turn.turnId}:question`,
      kind: 'question',
      turnId: turn.turnId,
      text: turn.question,
      message: null,
      live: turn.phase !== 'ended',
    });
    if (hasAnswer(turn))
      rows.push({ key: `${turn.turnId}:answer`, kind: 'answer', turnId: turn.turnId, message: null });
  }
  return rows;
}

/** A failed turn has what was read of it before it failed. */
function hasAnswer({ ending, text }: LiveTurn): boolean {
  return ending === null || ending.state === 'completed' || ending.state === 'stopped' || text !== '';
}

/**
 * Merges the newest messages from the server into what was read before; older pages stay as they are.
 * @returns null when there is a gap between the two that was never read.
 */
export function mergeNewest<Page extends MessagePage>(
  pages: readonly Page[],
  newest: readonly Message[],
): Page[] | null {
  const fresh = new Map(newest.map((message) => [keyOf(message), message]));
  const [first, ...older] = pages.map((page) => ({
    ...page,
    items: page.items.map((message) => fresh.get(keyOf(message)) ?? message),
  }));
  if (first === undefined) return null;
  const known = new Set([first, ...older].flatMap(({ items }) => items.map(keyOf)));
  const unknown = newest.filter((message) => !known.has(keyOf(message)));
  if (unknown.length === newest.length && known.size > 0) return null;
  const items = [...unknown, ...first.items].sort(
    (a, b) => b.sequence - a.sequence || (a.role === b.role ? 0 : a.role === 'assistant' ? -1 : 1),
  );
  return [{ ...first, items }, ...older];
}

/** Whether the stored transcript has this turn in its present state. */
export function knows(
  pages: readonly MessagePage[],
  { turnId, state, attempt }: { readonly turnId: string; readonly state: string; readonly attempt: number },
): boolean {
  return pages.some(({ items }) =>
    items.some(
      (message) =>
        message.role === 'user' && message.turnId === turnId && message.state === state && message.attempt === attempt,
    ),
  );
}

function keyOf({ turnId, role }: Message): string {
  return `${turnId}:${role}`;
}
