import type { Locale } from '../messages.ts';
import type { Event } from './event.ts';
import { letterOf } from './letters.ts';

/**
 * The body of a call of Slack's incoming webhooks: one message, in the words of the letter that the person may get, and
 * whom it is about.
 */
export function slackBody(event: Event, { userId, locale }: { userId: number; locale: Locale }): string {
  const who = locale === 'ko' ? `사용자 ${userId}` : `user ${userId}`;
  return JSON.stringify({
    text: `*${escape(headOf(event, locale))}* · ${who}\n${factsOf(event, locale).map(escape).join('\n')}`.trim(),
  });
}

function headOf(event: Event, locale: Locale): string {
  if (event.kind === 'endpoint.test') return locale === 'ko' ? '시험 전송입니다' : 'This is a test';
  if (event.kind === 'turn.failed') return locale === 'ko' ? '답변이 실패했습니다' : 'A turn has failed';
  return letterOf(event, locale).subject;
}

function factsOf(event: Event, locale: Locale): string[] {
  if (event.kind === 'endpoint.test') return [];
  if (event.kind === 'turn.failed') {
    const { code, model, turnId } = event.figures;
    return [`${code} · ${model} · ${turnId}`];
  }
  return letterOf(event, locale).facts.map(([label, value]) => `${label}: ${value}`);
}

/** Slack reads `&`, `<` and `>` as its own signs. */
function escape(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
