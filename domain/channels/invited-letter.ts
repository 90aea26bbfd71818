import type { Instant } from '../period.ts';
import { when } from './shown.ts';

export interface Invited {
  readonly invitationId: string;
  readonly expiresAt: Instant;
  readonly timeZone: string;
}

/** The link is for the mailbox alone: whoever opens it has confirmed the address. */
export const INVITED = {
  ko: ({ expiresAt, timeZone }: Invited, acceptPath: string) => ({
    subject: '초대를 받으셨습니다',
    paragraphs: [
      'AI와 대화할 수 있도록 초대를 받으셨습니다. 아래 버튼을 누르면 바로 시작할 수 있습니다.',
      '이 링크는 본인만 사용할 수 있으니 다른 사람에게 전달하지 마세요.',
    ],
    facts: [['링크 사용 기한', when(expiresAt, timeZone, 'ko')] as const],
    action: { label: '시작하기', to: acceptPath },
  }),
  en: ({ expiresAt, timeZone }: Invited, acceptPath: string) => ({
    subject: 'You are invited',
    paragraphs: [
      'You have been invited to chat with the AI. The button below lets you begin right away.',
      'The link is for you alone, so please do not pass it on.',
    ],
    facts: [['The link works until', when(expiresAt, timeZone, 'en')] as const],
    action: { label: 'Begin', to: acceptPath },
  }),
};
