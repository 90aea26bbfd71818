/** The name in sessionStorage of a key that survives a reload of its tab. */
export const KEPT_KEY = 'turnkeeper.token';

/** The requests of the sidebar, exactly as the sidebar makes them. */
const SIDEBAR = [
  '/api/conversations?limit=40&archived=false&pinned=false',
  '/api/conversations?limit=100&archived=false&pinned=true',
  '/api/ai-usage',
];
/** An answer that nobody has taken by then is too old. */
const FRESH_MS = 5_000;

let asked: { readonly token: string; readonly answers: Map<string, Promise<Response | null>> } | null = null;

/** Asks for what every page shows first, with the kept key, while the app's script is still loading. */
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
  // `/api/me` is first, because it says where the account's feed is: what is read later may be newer than that, but
  // never older.
  void ask('/api/me').then((me) => {
    if (me !== null) for (const path of SIDEBAR) void ask(path);
  });
}

/**
 * The early answer to this request with this key, given only once. Null when there is none, or it was refused or lost:
 * then the request is made now.
 */
export function takeEarly({ method, url }: Request, token: string | null): Promise<Response | null> | null {
  if (asked === null || asked.token !== token || method !== 'GET') return null;
  const path = url.slice(location.origin.length);
  const answer = asked.answers.get(path) ?? null;
  asked.answers.delete(path);
  return answer;
}
