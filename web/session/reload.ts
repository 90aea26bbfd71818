import { packDrafts, unpackDrafts, type Drafts } from '../chat/composer/composing.ts';
import { liveTurns } from './keep.ts';
import { staysSignedIn } from './session.ts';

/** What is carried over a reload: what was being written. */
const LUGGAGE = 'turnkeeper.reload';
/** With a build's name: this tab has been reloaded for it, unasked. */
const RELOADED_FOR = 'turnkeeper.reloaded-for.';
const ANSWER_WITHIN_MS = 10_000;

const lost = new WeakSet<object>();
addEventListener('vite:preloadError', ({ payload }) => lost.add(payload));

/**
 * Whether the error is that a part of the app did not come: the server is out of reach, or has only a newer build's
 * parts. React and some browsers keep that answer for as long as the page lives, so only a reload asks again.
 */
export function isLost(error: unknown): boolean {
  return typeof error === 'object' && error !== null && lost.has(error);
}

/** Does nothing while the server is out of reach: the browser's own page would stand here, and nobody could read on. */
export async function reload(): Promise<void> {
  if ((await buildOut()) !== null) goAgain();
}

/**
 * Unasked, where a newer build has replaced this one. Once for each: of two servers with different builds one may send
 * this tab to the other. Not where it costs something: a key that is in memory only, or a question that is on its way.
 */
export async function reloadForNewer(): Promise<void> {
  const newest = await buildOut();
  if (newest === null || newest === buildHere() || sessionStorage.getItem(RELOADED_FOR + newest) !== null) return;
  if (
    !staysSignedIn() ||
    liveTurns()
      .list()
      .some(({ phase }) => phase === 'sending')
  )
    return;
  sessionStorage.setItem(RELOADED_FOR + newest, 'yes');
  goAgain();
}

/** Before the server has said who is here, by which it is known whether they have written it. */
export function unpackAfterReload(): void {
  const packed = sessionStorage.getItem(LUGGAGE);
  if (packed !== null) unpackDrafts(JSON.parse(packed) as Drafts);
}

/** The app is there: a page that could not open leaves the luggage for the next one. */
export function endReload(): void {
  sessionStorage.removeItem(LUGGAGE);
}

function goAgain(): void {
  sessionStorage.setItem(LUGGAGE, JSON.stringify(packDrafts()));
  location.reload();
}

/** A build is known by the script its page begins with, whose name changes with any other. */
const BEGINS_WITH = /<script[^>]* src="([^"]*\/begin[^"]*)"/;

function buildHere(): string | null {
  return document.querySelector('script[src*="/begin"]')?.getAttribute('src') ?? null;
}

let asking: Promise<string | null> | null = null;

/** Null: no answer, or not ours. Asked once, however many answers of a transcript lack what draws them. */
function buildOut(): Promise<string | null> {
  asking ??= askBuild()
    .catch(() => null)
    .finally(() => {
      asking = null;
    });
  return asking;
}

async function askBuild(): Promise<string | null> {
  const response = await fetch('/', { cache: 'no-store', signal: AbortSignal.timeout(ANSWER_WITHIN_MS) });
  return BEGINS_WITH.exec(await response.text())?.[1] ?? null;
}
