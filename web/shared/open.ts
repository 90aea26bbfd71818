import { createElement, StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { loadWords, prepareLanguage } from '../i18n/language.ts';
import { applyTheme } from '../ui/theme.ts';
import { SharedPage } from './SharedPage.tsx';

/** Opens the page of a shared copy. It knows no session, so that it is the same for everybody. */
export async function open(): Promise<void> {
  applyTheme();
  await prepareLanguage();
  await loadWords('sharing');
  const root = document.getElementById('root');
  if (root === null) throw new Error('index.html has a #root');
  const token = location.pathname.split('/')[2] ?? '';
  createRoot(root).render(createElement(StrictMode, null, createElement(SharedPage, { token })));
}
