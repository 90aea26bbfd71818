import { useSyncExternalStore } from 'react';
import type { ApiError } from '../../api/api-error.ts';
import type { Schemas } from '../../api/schemas.ts';

/**
 * The draft of a conversation, and why the last question sent from it was given back. It stays when its page is left,
 * and the draft also when the page is reloaded.
 */
export interface Composing {
  readonly draft: string;
  /** What is attached, or about to be. */
  readonly files: readonly Attached[];
  readonly refusal: ApiError | null;
  /** The question that was sent and is not admitted yet. */
  readonly unsent: Unsent | null;
}

export type ShownFile = Schemas['ShownFile'];

/** A file of a draft, from when it was chosen. */
export interface Attached {
  /** Sent with the file, so that sending it again is the same one. */
  readonly key: string;
  readonly name: string;
  readonly isImage: boolean;
  /** Null until the server has it. */
  readonly file: ShownFile | null;
  /** Why the server has not taken it; null while it may still. */
  readonly problem: ApiError | null;
}

/** A question and its turn's id, so that sending it again after a reload is the same turn. */
export interface Unsent {
  readonly turnId: string;
  readonly message: string;
  readonly files?: readonly ShownFile[];
  /** What the turn follows, when it says so: it is part of what is sent again. */
  readonly parentTurnId?: string | null | undefined;
}

/** A draft as the tab's storage has it. */
interface Kept {
  /** The user id of who wrote it. */
  readonly writer: number | null;
  readonly draft: string;
  readonly files?: readonly ShownFile[];
  readonly unsent: Unsent | null;
}

const EMPTY: Composing = { draft: '', files: [], refusal: null, unsent: null };
/** With a conversation's id added: the name in sessionStorage of its draft. It ends with the tab. */
const KEPT = 'turnkeeper.draft.';
const all = new Map<string, Composing>();
/** The user id of who writes; null before the server has named the person. */
let writer: number | null = null;
const listeners = new Set<() => void>();

/** @param conversationId null for the conversation that has not begun. */
export function useComposing(conversationId: string | null): Composing {
  return useSyncExternalStore(subscribe, () => composingOf(conversationId));
}

/** In place of a conversation's id: where the question of a turn is being edited. */
export function editOf(turnId: string): string {
  return `edit.${turnId}`;
}

export function composingOf(conversationId: string | null): Composing {
  return all.get(conversationId ?? '') ?? EMPTY;
}

export function compose(conversationId: string | null, change: Partial<Composing>): void {
  const key = conversationId ?? '';
  const now = { ...composingOf(conversationId), ...change };
  all.set(key, now);
  keep(key, now);
  tell();
}

/** Puts a refused question back with its files, before anything typed since. */
export function giveBack(
  conversationId: string | null,
  { question, files }: { question: string; files: readonly ShownFile[] },
  refusal: ApiError,
): void {
  const now = composingOf(conversationId);
  compose(conversationId, {
    draft: joined(question, now.draft),
    files: withFiles(files, now.files),
    refusal,
    unsent: null,
  });
}

/**
 * Called when the turn is known to be admitted. After a reload its question may still stand in the field; it is taken
 * out unless it was changed since.
 */
export function forgetUnsent(turnId: string): void {
  for (const [key, { draft, files, unsent }] of all) {
    if (unsent?.turnId !== turnId) continue;
    const sent = (unsent.files ?? []).map(({ fileId }) => fileId);
    const left = files.filter(({ file }) => file === null || !sent.includes(file.fileId));
    compose(key === '' ? null : key, {
      unsent: null,
      ...(draft === unsent.message ? { draft: '', files: left } : {}),
    });
  }
}

/** Its draft may have moved into the conversation that its first question began. */
export function changeAttached(key: string, to: Partial<Attached>): void {
  for (const [name, { files }] of all)
    if (files.some((file) => file.key === key))
      compose(name === '' ? null : name, {
        files: files.map((file) => (file.key === key ? { ...file, ...to } : file)),
      });
}

/** Takes what was typed since the first question along into the conversation that it began. */
export function moveDraft(conversationId: string): void {
  const { draft, files } = composingOf(null);
  if (draft === '' && files.length === 0) return;
  const there = composingOf(conversationId);
  compose(conversationId, { draft: joined(draft, there.draft), files: [...files, ...there.files] });
  compose(null, { draft: '', files: [] });
}

/**
 * Called when a person has signed in: restores what they wrote in this tab before it was reloaded. Drafts of another
 * person are deleted, because they are not theirs to read.
 */
export function composeAs(userId: number): void {
  if (writer !== userId) all.clear();
  writer = userId;
  for (const name of keptNames()) {
    const kept = JSON.parse(sessionStorage.getItem(name) ?? 'null') as Kept | null;
    const key = name.slice(KEPT.length);
    if (kept?.writer !== userId) sessionStorage.removeItem(name);
    else if (!all.has(key))
      all.set(key, { ...EMPTY, draft: kept.draft, files: withFiles(kept.files ?? [], []), unsent: kept.unsent });
  }
  tell();
}

/** Called when the person signs out. */
export function forgetComposing(): void {
  all.clear();
  for (const name of keptNames()) sessionStorage.removeItem(name);
}

/** A question that is not admitted yet is kept as a draft: a reload before the server has it must not lose it. */
function keep(key: string, { draft, files, unsent }: Composing): void {
  const ready = withFiles(unsent?.files ?? [], files).flatMap(({ file }) => file ?? []);
  const kept: Kept = {
    writer,
    draft: unsent === null ? draft : joined(unsent.message, draft),
    ...(ready.length === 0 ? {} : { files: ready }),
    unsent,
  };
  try {
    if (kept.draft === '' && ready.length === 0) sessionStorage.removeItem(KEPT + key);
    else sessionStorage.setItem(KEPT + key, JSON.stringify(kept));
  } catch {
    // The tab's storage is full: the draft still stands in the page.
  }
}

function keptNames(): string[] {
  return Object.keys(sessionStorage).filter((name) => name.startsWith(KEPT));
}

/** Files that the server has, before others that are not among them. */
function withFiles(shown: readonly ShownFile[], others: readonly Attached[]): Attached[] {
  const known = shown.map((file) => ({
    key: file.fileId,
    name: file.name,
    isImage: file.width !== null,
    file,
    problem: null,
  }));
  const ids = shown.map(({ fileId }) => fileId);
  return [...known, ...others.filter(({ file }) => file === null || !ids.includes(file.fileId))];
}

function joined(first: string, second: string): string {
  return second === '' || second === first ? first : `${first}\n\n${second}`;
}

function tell(): void {
  for (const listener of listeners) listener();
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}
