import { createHash } from 'node:crypto';
import type { Response } from 'express';
import { escape } from '../../domain/channels/layout.ts';
import type { Locale } from '../../domain/messages.ts';

const STYLE =
  'body{margin:0;padding:24px 16px;background:#f5f5f4;color:#1c1917;font:16px/1.6 -apple-system,BlinkMacSystemFont,"Apple SD Gothic Neo","Noto Sans KR","Malgun Gothic","Segoe UI",sans-serif}main{max-width:440px;margin:10vh auto 0;padding:28px 24px;background:#fff;border:1px solid #e7e5e4;border-radius:12px}h1{margin:0 0 12px;font-size:20px;line-height:1.4}p{margin:0 0 16px}button,a{display:inline-block;padding:12px 20px;background:#2f4fd0;color:#fff;border:0;border-radius:8px;font:inherit;font-weight:600;text-decoration:none;cursor:pointer}button:focus-visible,a:focus-visible{outline:3px solid #93a8ff;outline-offset:2px}@media(prefers-color-scheme:dark){body{background:#1c1917;color:#f5f5f4}main{background:#292524;border-color:#44403c}}';
const STYLE_HASH = createHash('sha256').update(STYLE).digest('base64');

export interface LinkPage {
  readonly title: string;
  readonly text: string;
  /** A button that sends the same address by POST. */
  readonly button?: string;
  readonly link?: { readonly label: string; readonly to: string };
}

/**
 * Answers with the page of a link in a mail. It is made here, because whoever follows it may not be signed in, and the
 * web app may not be served. It runs nothing and loads nothing.
 */
export function sendLinkPage(response: Response, status: number, locale: Locale, page: LinkPage): void {
  const { title, text, button, link } = page;
  response.status(status).set({
    'Content-Type': 'text/html; charset=utf-8',
    'Content-Language': locale,
    'Content-Security-Policy': `default-src 'none'; style-src 'sha256-${STYLE_HASH}'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'`,
    'X-Robots-Tag': 'noindex, nofollow',
  }).end(`<!doctype html>
<html lang="${locale}"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>${escape(title)}</title><style>${STYLE}</style></head>
<body><main><h1>${escape(title)}</h1><p>${escape(text)}</p>${
    button === undefined ? '' : `<form method="post"><button type="submit">${escape(button)}</button></form>`
  }${link === undefined ? '' : `<a href="${escape(link.to)}">${escape(link.label)}</a>`}</main></body></html>
`);
}
