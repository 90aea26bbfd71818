import { grouped, type AlertFigures, type Locale } from '../messages.ts';
import type { Instant } from '../period.ts';
import type { Letter } from './letter.ts';
import { monthName, when } from './shown.ts';

/** What letters about usage tell. */
export interface UsageFiguresOf {
  'usage.alert': AlertFigures;
  'usage.reset': {
    readonly period: string;
    readonly allowanceTokens: number;
    readonly purchasedTokens: number;
    readonly resetsAt: Instant;
    readonly timeZone: string;
  };
  /** A month is over, and its report is there. `label` is `2026-11`. */
  'usage.report': {
    readonly label: string;
    readonly turns: number;
    readonly usedTokens: number;
    readonly usagePercent: number;
  };
}

type Writers = {
  readonly [Kind in keyof UsageFiguresOf]: Readonly<Record<Locale, (figures: UsageFiguresOf[Kind]) => Letter>>;
};

export const USAGE_LETTERS: Writers = {
  'usage.alert': {
    ko: ({ level, usagePercent, remainingTokens, resetsAt, timeZone, purchaseUrl }) => ({
      subject: `${level === 'CRITICAL' ? '긴급: ' : ''}토큰 ${usagePercent}% 사용`,
      paragraphs: [
        `이번 달 토큰의 ${usagePercent}%를 사용했습니다.`,
        remainingTokens === 0
          ? '남은 토큰이 없어, 초기화되거나 토큰을 구매하기 전에는 새 질문을 보낼 수 없습니다.'
          : '토큰을 모두 사용하면 초기화될 때까지 새 질문을 보낼 수 없습니다.',
      ],
      facts: [
        ['남은 토큰', `${grouped(remainingTokens)}개`],
        ['초기화', when(resetsAt, timeZone, 'ko')],
      ],
      action: { label: '토큰 구매', to: purchaseUrl },
    }),
    en: ({ level, usagePercent, remainingTokens, resetsAt, timeZone, purchaseUrl }) => ({
      subject: level === 'CRITICAL' ? `Urgent: tokens ${usagePercent}% used` : `Tokens ${usagePercent}% used`,
      paragraphs: [
        `You have used ${usagePercent}% of this month’s tokens.`,
        remainingTokens === 0
          ? 'None are left: you can ask again after the reset, or once you have bought tokens.'
          : 'When all are used, you can ask again only after the reset.',
      ],
      facts: [
        ['Tokens left', grouped(remainingTokens)],
        ['Reset', when(resetsAt, timeZone, 'en')],
      ],
      action: { label: 'Buy tokens', to: purchaseUrl },
    }),
  },
  'usage.reset': {
    ko: ({ allowanceTokens, purchasedTokens, resetsAt, timeZone }) => ({
      subject: '무료 토큰이 초기화되었습니다',
      paragraphs: ['새 달의 무료 토큰이 채워졌습니다. 다시 대화할 수 있습니다.'],
      facts: [
        ['무료 토큰', `${grouped(allowanceTokens)}개`],
        ['구매한 토큰', `${grouped(purchasedTokens)}개`],
        ['다음 초기화', when(resetsAt, timeZone, 'ko')],
      ],
      action: { label: '대화하기', to: '/' },
    }),
    en: ({ allowanceTokens, purchasedTokens, resetsAt, timeZone }) => ({
      subject: 'Your free tokens are reset',
      paragraphs: ['The free tokens of the new month are there: you can ask again.'],
      facts: [
        ['Free tokens', grouped(allowanceTokens)],
        ['Purchased tokens', grouped(purchasedTokens)],
        ['Next reset', when(resetsAt, timeZone, 'en')],
      ],
      action: { label: 'Open the chat', to: '/' },
    }),
  },
  'usage.report': {
    ko: ({ label, turns, usedTokens, usagePercent }) => ({
      subject: `${monthName(label, 'ko')} 사용 리포트가 나왔습니다`,
      paragraphs: ['지난달에 토큰을 언제, 어디에 사용했는지 정리했습니다.'],
      facts: [
        ['사용한 토큰', `${grouped(usedTokens)}개 (${usagePercent}%)`],
        ['질문', `${grouped(turns)}건`],
      ],
      action: { label: '리포트 보기', to: `/usage/reports/${label}` },
    }),
    en: ({ label, turns, usedTokens, usagePercent }) => ({
      subject: `Your report: ${monthName(label, 'en')}`,
      paragraphs: ['When and on what your tokens went last month.'],
      facts: [
        ['Tokens used', `${grouped(usedTokens)} (${usagePercent}%)`],
        ['Messages', grouped(turns)],
      ],
      action: { label: 'Open the report', to: `/usage/reports/${label}` },
    }),
  },
};
