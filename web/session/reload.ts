import { liveTurns } from './keep.ts';
import { staysSignedIn } from './session.ts';

/** With a build's name added: this tab has been reloaded for that build without being asked. */
const RELOADED_FOR = 'turnkeeper.reloaded-for.';
const ANSWER_WITHIN_MS = 10_000;

const lost = new WeakSet<object>();
addEventListener('vite:preloadError', ({ payload }) => lost.add(payload));

/**
 * Whether the error is that a part of the app could not be loaded: the server cannot be reached, or has only a newer
 * build's parts. React and some browsers remember that failure as long as the page lives, so only a reload tries again.
 */
export function isLost(error: unknown): boolean {
  return typeof error === 'object' && error !== null && lost.has(error);
}

/**
 * Reloads the page, unless the server cannot be reached: the browser's error page would then replace it, and nobody
 * could read on.
 */
export async function reload(): Promise<void> {
  if ((await servedBuild()) !== null) location.reload();
}

/**
 * Reloads without being asked when a newer build has replaced this one. It does so once for each build, because two
 * servers with different builds may send this tab from one to the other. It does not when something would be lost: a
 * key that is only in memory, or a question that is being sent.
 */
export async function reloadForNewer(): Promise<void> {
  const newest = await servedBuild();
  if (newest === null || newest === ownBuild() || sessionStorage.getItem(RELOADED_FOR + newest) !== null) return;
  if (
    !staysSignedIn() ||
    liveTurns()
      .list()
      .some(({ phase }) => phase === 'sending')
  )
    return;
  sessionStorage.setItem(RELOADED_FOR + newest, 'yes');
  location.reload();
}

/** A build is known by its page's first script, whose name changes with every other script. */
const BEGINS_WITH = /<script[^>]* src="([^"]*\/begin[^"]*)"/;

function ownBuild(): string | null {
  return document.querySelector('script[src*="/begin"]')?.getAttribute('src') ?? null;
}

let asking: Promise<string | null> | null = null;

/**
 * The build that the server serves now; null when there is no answer, or one that is not ours. One request serves all
 * who ask at the same time.
 */
function servedBuild(): Promise<string | null> {
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
