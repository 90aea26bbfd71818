import { setNonce } from 'get-nonce';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { App } from './App.tsx';
import { prepareLanguage } from './i18n/language.ts';
import { applyTheme } from './shell/theme.ts';
import './styles.css';

const nonce = document.querySelector<HTMLMetaElement>('meta[name="csp-nonce"]')?.nonce;
if (nonce !== undefined) setNonce(nonce);
applyTheme();
await prepareLanguage();
const root = document.getElementById('root');
if (root === null) throw new Error('index.html has a #root');
createRoot(root).render(<StrictMode><App /></StrictMode>);
