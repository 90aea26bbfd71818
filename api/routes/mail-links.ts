import type { Response } from 'express';
import { z } from 'zod';
import { confirmAddress } from '../../db/channels/addresses.ts';
import { writePreferences } from '../../db/channels/preferences.ts';
import { isSwitchable, NOTIFICATION_KINDS, type NotificationKind } from '../../domain/channels/kinds.ts';
import type { Locale } from '../../domain/messages.ts';
import { parseId } from '../../domain/text.ts';
import { LINKS } from '../../operations/channels/channels.ts';
import type { ApiDeps } from '../context.ts';
import { defineRoute, type Route } from '../http/route.ts';
import { sendLinkPage, type LinkPage } from '../present/link-page.ts';

const query = z.object({ t: z.string().max(400).default('').meta({ description: 'The token of the link' }) });

const ANSWERS = {
  200: { description: 'A page', text: 'text/html' },
  404: { description: 'No such link', text: 'text/html' },
} as const;

interface Link {
  readonly path: string;
  readonly show: string;
  readonly act: string;
  /** What the page asks; null for a token that is not ours. */
  ask(token: string, locale: Locale): LinkPage | null;
  /** Does it; again is the same. Null for a token that is not ours, or too old. */
  do(token: string, locale: Locale): Promise<LinkPage | null>;
}

/**
 * The links of mails. Scanners of mail follow every link, so a GET only asks, and a POST acts (RFC 8058). Who has the
 * link needs no sign-in: its token is signed for one person and one thing.
 */
export function mailLinkRoutes({ database, channels }: Pick<ApiDeps, 'database' | 'channels'>): Route[] {
  const unsubscribe: Link = {
    path: '/unsubscribe',
    show: 'The page that asks whether mails of a kind shall stop, from the link in one of them',
    act: 'Stop mails of that kind (List-Unsubscribe, one click); again is the same',
    ask: (token, locale) => (readUnsubscribe(token) === null ? null : PAGES.ask[locale]),
    async do(token, locale) {
      const found = readUnsubscribe(token);
      if (found === null) return null;
      const { userId, kind } = found;
      await writePreferences(database, { userId, changes: [{ kind, channel: 'email', enabled: false }] });
      return PAGES.stopped[locale];
    },
  };
  const confirm: Link = {
    path: '/confirm-address',
    show: 'The page that asks to confirm a new address for mail',
    act: 'Confirm it; again is the same',
    ask: (token, locale) => (readConfirm(token) === null ? null : PAGES.askAddress[locale]),
    async do(token, locale) {
      const found = readConfirm(token);
      const confirmed = found === null ? null : await confirmAddress(database, found);
      return confirmed === null ? null : PAGES[confirmed.state][locale];
    },
  };

  function readUnsubscribe(token: string): { userId: number; kind: NotificationKind } | null {
    const [user = '', word] = channels.links.read(LINKS.unsubscribe, token)?.split('/') ?? [];
    const [userId, kind] = [parseId(user), NOTIFICATION_KINDS.find((kind) => kind === word)];
    return userId === null || kind === undefined || !isSwitchable(kind) ? null : { userId, kind };
  }

  function readConfirm(token: string): { changeId: string; which: 'new' | 'old' } | null {
    const [changeId, which] = channels.links.read(LINKS.confirm, token)?.split('/') ?? [];
    return changeId === undefined || (which !== 'new' && which !== 'old') ? null : { changeId, which };
  }

  return [unsubscribe, confirm].flatMap((link) => [
    defineRoute({
      method: 'get',
      path: link.path,
      access: 'public',
      tag: 'Mail',
      summary: link.show,
      query,
      answers: ANSWERS,
      errors: [],
      handle({ response, locale }, { query: { t } }) {
        return answer(response, locale, link.ask(t, locale));
      },
    }),
    defineRoute({
      method: 'post',
      path: link.path,
      // The body is what a mailbox's button sends (List-Unsubscribe=One-Click), or nothing: the token says it all.
      access: 'webhook',
      tag: 'Mail',
      summary: link.act,
      query,
      answers: ANSWERS,
      errors: [],
      async handle({ response, locale }, { query: { t } }) {
        return answer(response, locale, await link.do(t, locale));
      },
    }),
  ]);
}

async function answer(response: Response, locale: Locale, page: LinkPage | null): Promise<null> {
  sendLinkPage(response, page === null ? 404 : 200, locale, page ?? PAGES.unknown[locale]);
  return null;
}

const PAGES = {
  ask: {
    ko: {
      title: '이 알림 메일을 그만 받으시겠습니까?',
      text: '토큰 사용량에 관한 이 종류의 메일이 더는 가지 않습니다. 앱 안의 알림은 그대로 보입니다. 환경설정에서 언제든 다시 켤 수 있습니다.',
      button: '그만 받기',
    },
    en: {
      title: 'Stop these mails?',
      text: 'No more mails of this kind will be sent. Notices in the app stay. You can switch them on again in your preferences.',
      button: 'Stop them',
    },
  },
  stopped: {
    ko: {
      title: '메일을 껐습니다',
      text: '이 종류의 메일은 더 보내지 않습니다. 환경설정에서 다시 켤 수 있습니다.',
      link: { label: '환경설정 열기', to: '/preferences' },
    },
    en: {
      title: 'They are stopped',
      text: 'No more mails of this kind are sent. You can switch them on again in your preferences.',
      link: { label: 'Open preferences', to: '/preferences' },
    },
  },
  askAddress: {
    ko: {
      title: '메일 주소를 확인해 주세요',
      text: '알림 메일을 새 주소로 받도록 요청하셨다면 아래 버튼을 눌러 주세요. 요청하지 않았다면 이 창을 닫으시면 됩니다.',
      button: '확인하기',
    },
    en: {
      title: 'Confirm the address',
      text: 'Press the button if you asked that your notices go to the new address. If you did not, close this page.',
      button: 'Confirm',
    },
  },
  changed: {
    ko: {
      title: '확인했습니다',
      text: '이제 알림 메일을 새 주소로 보냅니다.',
      link: { label: '환경설정 열기', to: '/preferences' },
    },
    en: {
      title: 'Confirmed',
      text: 'Your notices go to the new address from now on.',
      link: { label: 'Open preferences', to: '/preferences' },
    },
  },
  waiting: {
    ko: {
      title: '확인했습니다',
      text: '다른 주소로도 확인 메일을 보냈습니다. 그 메일에서도 확인하시면 주소가 바뀝니다.',
    },
    en: {
      title: 'Confirmed',
      text: 'The other address got a mail, too. The address changes once that one is confirmed as well.',
    },
  },
  unknown: {
    ko: {
      title: '사용할 수 없는 링크입니다',
      text: '링크가 만료되었거나 주소가 잘렸을 수 있습니다. 메일에서 다시 열어 주세요.',
    },
    en: {
      title: 'This link does not work',
      text: 'It may have expired, or its address was cut off. Please open it from the mail again.',
    },
  },
} as const satisfies Record<string, Record<Locale, LinkPage>>;
