import { grouped, type Locale } from '../messages.ts';
import type { Money } from '../payments/money.ts';
import type { Decline, TopUpPause } from '../payments/top-up.ts';
import type { Instant } from '../period.ts';
import type { Letter } from './letter.ts';
import { price, when } from './shown.ts';

export interface TopUpFigures {
  /** The first decline of a card; the following ones are told by nobody until it pauses. */
  'topup.declined': Money & {
    readonly purchaseId: string;
    readonly decline: Decline;
    readonly nextTryAt: Instant;
    readonly timeZone: string;
  };
  'topup.paused': Money & { readonly pause: TopUpPause };
  'topup.reminder': Money & { readonly packId: string; readonly remainingTokens: number; readonly tokens: number };
}

/** Why, in the reader's words: a bank's own are not for them. */
const WHY: Readonly<Record<TopUpPause, Readonly<Record<Locale, string>>>> = {
  declined: { ko: '카드사가 결제를 거절했습니다.', en: 'The bank declined the payment.' },
  insufficient_funds: {
    ko: '카드의 한도나 잔액이 부족합니다.',
    en: 'The card has not enough money or credit.',
  },
  authentication_required: {
    ko: '카드사가 본인 인증을 요구해 자동으로 결제할 수 없는 카드입니다.',
    en: 'The bank wants you to confirm each payment, so this card can’t be charged automatically.',
  },
  card_expired: { ko: '카드의 유효기간이 지났습니다.', en: 'The card has expired.' },
  card_unusable: { ko: '더 이상 사용할 수 없는 카드입니다.', en: 'The card can’t be used any more.' },
  bank_away: { ko: '카드사가 응답하지 않았습니다.', en: 'The bank did not answer.' },
  card_gone: { ko: '등록된 카드가 삭제되었습니다.', en: 'The card was removed.' },
  pack_changed: {
    ko: '선택하신 상품의 가격이나 내용이 바뀌었습니다.',
    en: 'The pack’s price or contents have changed.',
  },
  refunded: { ko: '구매하신 토큰을 환불하셨습니다.', en: 'You gave purchased tokens back.' },
  mismatch: {
    ko: '결제 내용이 주문과 달라 관리자가 확인하고 있습니다.',
    en: 'The payment differs from the order, and an admin is looking into it.',
  },
};

export const TOP_UP_WRITERS: {
  readonly [Kind in keyof TopUpFigures]: Readonly<Record<Locale, (figures: TopUpFigures[Kind]) => Letter>>;
} = {
  'topup.declined': {
    ko: ({ purchaseId, decline, nextTryAt, timeZone, ...money }) => ({
      subject: '자동 충전 결제가 거절되었습니다',
      paragraphs: [
        `${WHY[decline].ko} 결제된 금액은 없습니다.`,
        '아래 시각에 다시 시도하며, 계속 거절되면 자동 충전을 멈춥니다. 그 전에 다른 카드로 바꾸실 수 있습니다.',
      ],
      facts: [
        ['금액', price(money, 'ko')],
        ['다음 시도', when(nextTryAt, timeZone, 'ko')],
        ['구매 번호', purchaseId],
      ],
      action: { label: '카드 바꾸기', to: '/purchase' },
    }),
    en: ({ purchaseId, decline, nextTryAt, timeZone, ...money }) => ({
      subject: 'Auto top-up declined',
      paragraphs: [
        `${WHY[decline].en} Nothing was charged.`,
        'We try again at the time below, and stop when it is declined again and again. You can change the card before.',
      ],
      facts: [
        ['Amount', price(money, 'en')],
        ['Next try', when(nextTryAt, timeZone, 'en')],
        ['Purchase', purchaseId],
      ],
      action: { label: 'Change the card', to: '/purchase' },
    }),
  },
  'topup.paused': {
    ko: ({ pause, ...money }) => ({
      subject: '자동 충전을 멈췄습니다',
      paragraphs: [
        WHY[pause].ko,
        '토큰이 부족해져도 자동으로 결제하지 않습니다. 구매 화면에서 확인하고 다시 켜 주세요.',
      ],
      facts: [['금액', price(money, 'ko')]],
      action: { label: '자동 충전 확인하기', to: '/purchase' },
    }),
    en: ({ pause, ...money }) => ({
      subject: 'Auto top-up paused',
      paragraphs: [
        WHY[pause].en,
        'Nothing is bought automatically any more. Look at it in the shop and turn it on again.',
      ],
      facts: [['Amount', price(money, 'en')]],
      action: { label: 'See auto top-up', to: '/purchase' },
    }),
  },
  'topup.reminder': {
    ko: ({ packId, remainingTokens, tokens, ...money }) => ({
      subject: '토큰이 얼마 남지 않았습니다',
      paragraphs: [
        '정해 두신 기준보다 토큰이 적게 남았습니다. 아래 버튼을 누르면 고르신 상품을 바로 결제할 수 있습니다.',
      ],
      facts: [
        ['남은 토큰', `${grouped(remainingTokens)}개`],
        ['상품', `${grouped(tokens)}개 · ${price(money, 'ko')}`],
      ],
      action: { label: '바로 구매하기', to: `/purchase?pack=${packId}` },
    }),
    en: ({ packId, remainingTokens, tokens, ...money }) => ({
      subject: 'Your tokens run low',
      paragraphs: ['Fewer tokens are left than you wanted. The button leads straight to the pack that you chose.'],
      facts: [
        ['Tokens left', grouped(remainingTokens)],
        ['Pack', `${grouped(tokens)} tokens · ${price(money, 'en')}`],
      ],
      action: { label: 'Buy now', to: `/purchase?pack=${packId}` },
    }),
  },
};
