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
      readonly files: NonNullable<Message['files']>;
      readonly message: Message | null;
      readonly live: boolean;
      /** Whether an answer, or what there is of one, follows. */
      readonly answered: boolean;
    }
  | {
      readonly key: string;
      readonly kind: 'answer';
      readonly turnId: string;
      /** What it answers; null while that is not read yet. */
      readonly question: string | null;
      readonly message: Message | null;
    };

/**
 * The rows of a stored line (newest page first, newest message first) and of the turns that this page watches, oldest
 * first.
 * @param branch the branch that is shown, as `branchOf` says it.
 */
export function rowsOf(
  pages: readonly MessagePage[],
  turns: readonly LiveTurn[],
  conversationId: string | null,
  branch: string | null = null,
): Row[] {
  const mine = new Map(
    turns.filter((turn) => turn.conversationId === conversationId).map((turn) => [turn.turnId, turn]),
  );
  const stored = pages.flatMap(({ items }) => items).toReversed();
  const answered = new Set(stored.filter(({ role }) => role === 'assistant').map(({ turnId }) => turnId));
  const asked = new Map(stored.filter(({ role }) => role === 'user').map(({ turnId, content }) => [turnId, content]));
  const rows: Row[] = [];
  for (const message of stored) {
    const { turnId } = message;
    if (message.role === 'assistant') rows.push(answerOf(turnId, asked.get(turnId) ?? null, message));
    else {
      const live = mine.get(turnId);
      const begun = !answered.has(turnId) && live !== undefined && hasAnswer(live);
      rows.push({
        key: `${turnId}:question`,
        kind: 'question',
        turnId,
        text: message.content,
        files: message.files ?? [],
        message,
        live: live !== undefined && live.phase !== 'ended',
        answered: begun || answered.has(turnId),
      });
      if (begun) rows.push(answerOf(turnId, message.content, null));
    }
  }
  for (const turn of mine.values()) {
    if (asked.has(turn.turnId) || answered.has(turn.turnId) || turn.question === null) continue;
    // Its line is not the one that is shown.
    if (branch !== null && branch !== turn.turnId && branch !== turn.branch) continue;
    const place = rows.findIndex(({ turnId }) => turnId === turn.instead?.turnId);
    if (place >= 0) rows.length = place;
    rows.push({
      key: `${turn.turnId}:question`,
      kind: 'question',
      turnId: turn.turnId,
      text: turn.question,
      files: [...turn.files],
      message: null,
      live: turn.phase !== 'ended',
      answered: hasAnswer(turn),
    });
    if (hasAnswer(turn)) rows.push(answerOf(turn.turnId, turn.question, null));
  }
  return rows;
}

function answerOf(turnId: string, question: string | null, message: Message | null): Row {
  return { key: `${turnId}:answer`, kind: 'answer', turnId, question, message };
}

/** A failed turn has what was read of it before it failed. */
function hasAnswer({ ending, text }: LiveTurn): boolean {
  return ending === null || ending.state === 'completed' || ending.state === 'stopped' || text !== '';
}

/**
 * Merges the end of a line, read anew, into what was read before. What came before that end stays, and so does not what
 * belongs to another branch.
 * @returns null when nothing that was read leads up to the end, or the end is the whole line.
 */
export function mergeNewest<Page extends MessagePage>(pages: readonly Page[], newest: MessagePage): Page[] | null {
  const [first] = pages;
  const oldest = newest.items.at(-1);
  if (first === undefined || oldest === undefined || newest.nextCursor === null) return null;
  const before = (message: Message) =>
    oldest.role === 'assistant'
      ? message.turnId === oldest.turnId && message.role === 'user'
      : message.turnId === oldest.parentTurnId;
  const meeting = pages.flatMap(({ items }) => items).find(before);
  if (meeting === undefined) return null;
  const stays = ({ sequence, role }: Message) =>
    sequence < meeting.sequence || (sequence === meeting.sequence && (role === 'user' || meeting.role === 'assistant'));
  const kept = pages.map((page) => ({ ...page, items: page.items.filter(stays) }));
  return kept.map((page, i) => (i === 0 ? { ...page, items: [...newest.items, ...page.items] } : page));
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
