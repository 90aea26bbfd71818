import { grouped, type Locale } from '../messages.ts';
import type { Money } from '../payments/money.ts';
import type { Instant } from '../period.ts';
import { INVITED, type Invited } from './invited-letter.ts';
import type { NotificationKind } from './kinds.ts';
import type { Letter } from './letter.ts';
import { price, when } from './shown.ts';
import { TOP_UP_WRITERS, type TopUpFigures } from './top-up-letters.ts';
import { USAGE_LETTERS, type UsageFiguresOf } from './usage-letters.ts';

interface OfPurchase extends Money {
  readonly purchaseId: string;
  /** The buyer's zone, in which days are told. */
  readonly timeZone: string;
}

/** What each kind tells: ids, figures and words of ours. Never a provider's code, a card, or a text of a chat. */
export interface FiguresOf extends UsageFiguresOf, TopUpFigures {
  /** Whose account the deposit goes to stands on the purchase's page, behind the sign-in. */
  'purchase.deposit': OfPurchase & { readonly dueAt: Instant };
  'purchase.paid': OfPurchase & { readonly tokens: number; readonly bonusTokens: number; readonly paidAt: Instant };
  'purchase.failed': OfPurchase;
  'purchase.refunded': OfPurchase;
  /** An admin has made a place for them; the link is for their mailbox alone. */
  'people.invited': Invited;
  /** `which` mailbox has to confirm that mail goes to `email` from now on. */
  'security.address': { readonly changeId: string; readonly which: 'new' | 'old'; readonly email: string };
  /** An endpoint that took nothing for three days was disabled. */
  'security.endpoint': { readonly endpointId: string; readonly host: string };
}

/** A notification's kind with its figures. */
export type Told = { [Kind in NotificationKind]: { kind: Kind; figures: FiguresOf[Kind] } }[NotificationKind];

/** @param confirmPath of a letter that asks its mailbox for something; empty for the others. */
export function letterOf(told: Told, locale: Locale, confirmPath = ''): Letter {
  return write(told, locale, confirmPath);
}

type Writer<Kind extends NotificationKind> = (figures: FiguresOf[Kind], confirmPath: string) => Letter;
type Writers = { readonly [Kind in NotificationKind]: Readonly<Record<Locale, Writer<Kind>>> };

function write<Kind extends NotificationKind>(
  { kind, figures }: { kind: Kind; figures: FiguresOf[Kind] },
  locale: Locale,
  confirmPath: string,
): Letter {
  const writers: Readonly<Record<Locale, Writer<Kind>>> = WRITERS[kind];
  return writers[locale](figures, confirmPath);
}

const WRITERS: Writers = {
  ...USAGE_LETTERS,
  ...TOP_UP_WRITERS,
  'purchase.deposit': {
    ko: ({ purchaseId, dueAt, timeZone, ...money }) => ({
      subject: '입금을 기다리고 있습니다',
      paragraphs: [
        '아래 기한까지 입금하시면 토큰이 바로 지급됩니다. 입금하실 계좌는 구매 화면에서 확인해 주세요.',
        '직접 요청한 구매가 아니라면 입금하지 마세요.',
      ],
      facts: [
        ['금액', price(money, 'ko')],
        ['입금 기한', when(dueAt, timeZone, 'ko')],
      ],
      action: { label: '입금 계좌 보기', to: `/purchase/${purchaseId}` },
    }),
    en: ({ purchaseId, dueAt, timeZone, ...money }) => ({
      subject: 'Waiting for your deposit',
      paragraphs: [
        'Your tokens come as soon as the deposit arrives. The page of the purchase shows the account.',
        'If you did not ask for this purchase, do not pay.',
      ],
      facts: [
        ['Amount', price(money, 'en')],
        ['Due', when(dueAt, timeZone, 'en')],
      ],
      action: { label: 'See the account', to: `/purchase/${purchaseId}` },
    }),
  },
  'purchase.paid': {
    ko: ({ purchaseId, tokens, bonusTokens, paidAt, timeZone, ...money }) => ({
      subject: '토큰 구매가 완료되었습니다',
      paragraphs: ['구매해 주셔서 감사합니다. 토큰이 지급되었습니다.'],
      facts: [
        ['토큰', `${grouped(tokens)}개`],
        ...(bonusTokens === 0 ? [] : [['추가 토큰', `${grouped(bonusTokens)}개`] as const]),
        ['결제 금액(부가세 포함)', price(money, 'ko')],
        ['결제 시각', when(paidAt, timeZone, 'ko')],
        ['구매 번호', purchaseId],
      ],
      action: { label: '영수증 보기', to: `/purchase/${purchaseId}` },
    }),
    en: ({ purchaseId, tokens, bonusTokens, paidAt, timeZone, ...money }) => ({
      subject: 'Receipt for your tokens',
      paragraphs: ['Thank you. Your tokens are there.'],
      facts: [
        ['Tokens', grouped(tokens)],
        ...(bonusTokens === 0 ? [] : [['Bonus tokens', grouped(bonusTokens)] as const]),
        ['Paid, tax included', price(money, 'en')],
        ['Paid at', when(paidAt, timeZone, 'en')],
        ['Purchase', purchaseId],
      ],
      action: { label: 'See the receipt', to: `/purchase/${purchaseId}` },
    }),
  },
  'purchase.failed': {
    ko: ({ purchaseId, timeZone: _, ...money }) => ({
      subject: '결제가 완료되지 않았습니다',
      paragraphs: ['결제가 승인되지 않아 토큰이 지급되지 않았습니다. 다른 결제 수단으로 다시 시도해 주세요.'],
      facts: [['금액', price(money, 'ko')]],
      action: { label: '구매 내역 보기', to: `/purchase/${purchaseId}` },
    }),
    en: ({ purchaseId, timeZone: _, ...money }) => ({
      subject: 'Your payment failed',
      paragraphs: ['The payment was not approved, so no tokens were given. Please try another way to pay.'],
      facts: [['Amount', price(money, 'en')]],
      action: { label: 'See the purchase', to: `/purchase/${purchaseId}` },
    }),
  },
  'purchase.refunded': {
    ko: ({ purchaseId, timeZone: _, ...money }) => ({
      subject: '환불이 완료되었습니다',
      paragraphs: ['아래 금액을 환불했습니다. 결제 수단에 따라 며칠 뒤에 표시될 수 있습니다.'],
      facts: [['환불 금액', price(money, 'ko')]],
      action: { label: '구매 내역 보기', to: `/purchase/${purchaseId}` },
    }),
    en: ({ purchaseId, timeZone: _, ...money }) => ({
      subject: 'Your refund is on its way',
      paragraphs: ['We gave back the amount below. It may take some days until you see it.'],
      facts: [['Refunded', price(money, 'en')]],
      action: { label: 'See the purchase', to: `/purchase/${purchaseId}` },
    }),
  },
  'people.invited': INVITED,
  'security.address': {
    ko: ({ which, email }, confirmPath) => ({
      subject: which === 'new' ? '메일 주소를 확인해 주세요' : '메일 주소 변경을 확인해 주세요',
      paragraphs: [
        which === 'new'
          ? '이 주소로 알림 메일을 받도록 요청하셨습니다. 아래 버튼을 눌러 확인해 주세요.'
          : '알림 메일을 받을 주소를 아래 주소로 바꾸도록 요청하셨습니다. 아래 버튼을 눌러 변경을 확인해 주세요.',
        '직접 요청하지 않았다면 이 메일을 무시해 주세요. 확인하지 않으면 아무것도 바뀌지 않습니다.',
      ],
      facts: [['새 주소', email]],
      action: { label: '확인하기', to: confirmPath },
    }),
    en: ({ which, email }, confirmPath) => ({
      subject: which === 'new' ? 'Confirm your address' : 'Confirm the new address',
      paragraphs: [
        which === 'new'
          ? 'You asked that notices be sent to this address. Please confirm it.'
          : 'You asked that notices be sent to the address below from now on. Please confirm the change.',
        'If you did not ask for this, ignore this mail: nothing changes unless it is confirmed.',
      ],
      facts: [['New address', email]],
      action: { label: 'Confirm', to: confirmPath },
    }),
  },
  'security.endpoint': {
    ko: ({ host }) => ({
      subject: '웹훅을 껐습니다',
      paragraphs: [
        '아래 서버가 사흘 동안 알림을 받지 않아 웹훅을 껐습니다. 서버를 고친 뒤 환경설정에서 다시 켜 주세요.',
      ],
      facts: [['서버', host]],
      action: { label: '웹훅 보기', to: '/preferences' },
    }),
    en: ({ host }) => ({
      subject: 'A webhook was disabled',
      paragraphs: [
        'This server took nothing for three days, so its webhook was disabled. Enable it again once it is mended.',
      ],
      facts: [['Server', host]],
      action: { label: 'See the webhooks', to: '/preferences' },
    }),
  },
};
