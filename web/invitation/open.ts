import { createElement, StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { prepareLanguage } from '../i18n/language.ts';
import { loadPageWords } from '../i18n/pages.ts';
import { applyTheme } from '../ui/theme.ts';
import { InvitationPage } from './InvitationPage.tsx';

/** Opens the page of an invitation. The token leaves the address at once, so that no history keeps it. */
export async function open(): Promise<void> {
  applyTheme();
  const token = location.hash.slice(1);
  history.replaceState(null, '', location.pathname);
  await prepareLanguage();
  await loadPageWords('invitation');
  const root = document.getElementById('root');
  if (root === null) throw new Error('index.html has a #root');
  createRoot(root).render(createElement(StrictMode, null, createElement(InvitationPage, { token })));
}
