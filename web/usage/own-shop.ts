/** The path of our own page where tokens are bought. */
export const SHOP = '/purchase';

/** The name in sessionStorage of the chat from which somebody went there. It ends with the tab, or at signing out. */
const CAME_FROM = 'turnkeeper.came-from';

export function isOwnShop(url: string): boolean {
  return url === location.origin + SHOP;
}

/** Remembers the page that shows now, so that whoever has bought goes back to it. */
export function rememberPlace(): void {
  sessionStorage.setItem(CAME_FROM, location.pathname);
}

export function forgetPlace(): void {
  sessionStorage.removeItem(CAME_FROM);
}

/** Where whoever has bought goes on: the conversation from which they came, else a new one. */
export function placeBefore(): string {
  const path = sessionStorage.getItem(CAME_FROM) ?? '';
  return path.startsWith('/c/') ? path : '/';
}
