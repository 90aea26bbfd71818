import { setNonce } from 'get-nonce';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { App } from './App.tsx';
import { conversationsQuery, pinnedQuery } from './chat/conversations/Conversations.tsx';
import { prepareLanguage } from './i18n/language.ts';
import { queries } from './session/keep.ts';
import { meQuery } from './session/me.ts';
import { currentSession } from './session/session.ts';
import { stayAboveKeyboard } from './shell/above-keyboard.ts';
import { applyTheme } from './ui/theme.ts';
import { usageQuery } from './usage/use-usage.ts';

/** How long the page is held back for its first data: a page that is opening shows nothing for as long anyway. */
const AT_ONCE_MS = 200;

export async function open(): Promise<void> {
  const nonce = document.querySelector<HTMLMetaElement>('meta[name="csp-nonce"]')?.nonce;
  if (nonce !== undefined) setNonce(nonce);
  applyTheme();
  stayAboveKeyboard();
  await prepareLanguage();
  if (currentSession().state === 'in')
    await Promise.race([
      readFirst(),
      new Promise((resolve) => {
        setTimeout(resolve, AT_ONCE_MS);
      }),
    ]);
  const root = document.getElementById('root');
  if (root === null) throw new Error('index.html has a #root');
  createRoot(root).render(
    <StrictMode>
      <App />
    </StrictMode>,
  );
}

/** Reads the first data before drawing, so that the page is drawn once, with its sidebar. */
async function readFirst(): Promise<void> {
  await queries.prefetchQuery(meQuery);
  if (currentSession().state !== 'in') return;
  await Promise.all([
    queries.prefetchInfiniteQuery(conversationsQuery({ search: '', archived: false })),
    queries.prefetchQuery(pinnedQuery),
    queries.prefetchQuery(usageQuery),
  ]);
}
