import type { Locale } from '../messages.ts';
import type { Letter } from './letter.ts';

export interface MailText {
  readonly subject: string;
  readonly text: string;
  readonly html: string;
}

/** Where a mail comes from and what its links lead to. */
export interface MailFrame {
  readonly serviceName: string;
  /** The web app's address, without a slash at its end. */
  readonly publicUrl: string;
  /** Null: this kind cannot be switched off. */
  readonly unsubscribeUrl: string | null;
}

/** One look for all letters: a text, and the same as HTML without pictures, scripts or anything from elsewhere. */
export function layOut(
  letter: Letter,
  locale: Locale,
  { serviceName, publicUrl, unsubscribeUrl }: MailFrame,
): MailText {
  const action = letter.action === null ? null : { ...letter.action, url: resolve(publicUrl, letter.action.to) };
  const words = WORDS[locale];
  const footer = [
    words.from(serviceName, publicUrl),
    ...(unsubscribeUrl === null ? [words.always] : [`${words.unsubscribe}: ${unsubscribeUrl}`]),
  ];
  const text = [
    ...letter.paragraphs,
    letter.facts.map(([label, value]) => `${label}: ${value}`).join('\n'),
    ...(action === null ? [] : [`${action.label}: ${action.url}`]),
    `-- \n${footer.join('\n')}`,
  ]
    .filter((part) => part !== '')
    .join('\n\n');
  return {
    subject: `[${serviceName}] ${letter.subject}`,
    text: `${text}\n`,
    html: htmlOf(letter, locale, { serviceName, publicUrl, unsubscribeUrl, action }),
  };
}

const WORDS = {
  ko: {
    from: (name: string, url: string) => `${name}에서 보낸 메일입니다. ${url}`,
    always: '결제와 보안에 관한 메일은 수신을 끌 수 없습니다.',
    unsubscribe: '이 알림 메일 그만 받기',
  },
  en: {
    from: (name: string, url: string) => `Sent by ${name}. ${url}`,
    always: 'Mails about payments and security cannot be switched off.',
    unsubscribe: 'Stop these mails',
  },
} as const satisfies Record<Locale, unknown>;

const STYLE = {
  body: 'margin:0;padding:24px 12px;background:#f5f5f4;color:#1c1917;font:16px/1.6 -apple-system,BlinkMacSystemFont,"Apple SD Gothic Neo","Noto Sans KR","Malgun Gothic","Segoe UI",sans-serif',
  card: 'max-width:520px;margin:0 auto;padding:28px 24px;background:#ffffff;border:1px solid #e7e5e4;border-radius:12px',
  button:
    'display:inline-block;padding:12px 20px;background:#2f4fd0;color:#ffffff;border-radius:8px;text-decoration:none;font-weight:600',
  small: 'max-width:520px;margin:16px auto 0;padding:0 8px;color:#57534e;font-size:13px',
} as const;

function htmlOf(
  letter: Letter,
  locale: Locale,
  frame: MailFrame & { readonly action: { readonly label: string; readonly url: string } | null },
): string {
  const { serviceName, publicUrl, unsubscribeUrl, action } = frame;
  const words = WORDS[locale];
  const facts = letter.facts.map(
    ([label, value]) =>
      `<tr><td style="padding:4px 16px 4px 0;color:#57534e">${escape(label)}</td><td style="padding:4px 0;font-weight:600;word-break:break-all">${escape(value)}</td></tr>`,
  );
  return `<!doctype html>
<html lang="${locale}"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${escape(letter.subject)}</title></head>
<body style='${STYLE.body}'>
<div style="${STYLE.card}">
<p style="margin:0 0 16px;color:#57534e;font-size:14px">${escape(serviceName)}</p>
<h1 style="margin:0 0 16px;font-size:20px;line-height:1.4">${escape(letter.subject)}</h1>
${letter.paragraphs.map((paragraph) => `<p style="margin:0 0 12px">${escape(paragraph)}</p>`).join('\n')}
${facts.length === 0 ? '' : `<table role="presentation" style="margin:8px 0 16px;border-collapse:collapse;font-size:15px">${facts.join('')}</table>`}
${action === null ? '' : `<p style="margin:20px 0 0"><a href="${escape(action.url)}" style="${STYLE.button}">${escape(action.label)}</a></p>`}
</div>
<p style="${STYLE.small}">${escape(words.from(serviceName, publicUrl))}<br>${
    unsubscribeUrl === null
      ? escape(words.always)
      : `<a href="${escape(unsubscribeUrl)}" style="color:#57534e">${escape(words.unsubscribe)}</a>`
  }</p>
</body></html>
`;
}

function resolve(publicUrl: string, to: string): string {
  return to.startsWith('/') ? `${publicUrl}${to}` : to;
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** For text and attribute values of HTML. */
export function escape(text: string): string {
  return text.replaceAll(/[&<>"']/g, (sign) => ENTITIES[sign] ?? sign);
}
