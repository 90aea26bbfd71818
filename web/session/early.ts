/** Where a key lies that survives a reload of its tab. */
export const KEPT_KEY = 'turnkeeper.token';

/** What the sidebar beside every page shows, as it is asked for there. */
const SIDEBAR = ['/api/conversations?limit=40&archived=false', '/api/ai-usage'];
/** An answer that nobody wanted by then is no news. */
const FRESH_MS = 5_000;

let asked: { readonly token: string; readonly answers: Map<string, Promise<Response | null>> } | null = null;

/** Asks, with the key that is kept, for what every page shows first, while the app's script is still on its way. */
export function askEarly(): void {
  const token = sessionStorage.getItem(KEPT_KEY);
  if (token === null) return;
  const answers = new Map<string, Promise<Response | null>>();
  const ask = (path: string) => {
    const answer = fetch(path, { headers: { Authorization: `Bearer ${token}` } }).then(
      (response) => (response.ok ? response : null),
      () => null,
    );
    answers.set(path, answer);
    return answer;
  };
  asked = { token, answers };
  setTimeout(() => {
    asked = null;
  }, FRESH_MS);
  // It says where the account's feed is: what is read after it may be newer than that, and never older.
  void ask('/api/me').then((me) => {
    if (me !== null) for (const path of SIDEBAR) void ask(path);
  });
}

/**
 * The answer to this request with this key, once. Null when it was not asked early, or was refused or lost: then it is
 * to be asked now.
 */
export function takeEarly({ method, url }: Request, token: string | null): Promise<Response | null> | null {
  if (asked === null || asked.token !== token || method !== 'GET') return null;
  const path = url.slice(location.origin.length);
  const answer = asked.answers.get(path) ?? null;
  asked.answers.delete(path);
  return answer;
}
