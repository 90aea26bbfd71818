import type { AlertLevel } from './alerts.ts';
import type { ErrorCode } from './errors.ts';
import { FILE_SENTENCES, refusalSentence } from './files/sentences.ts';
import { IN_THE_WAY } from './own-instructions.ts';
import type { Instant } from './period.ts';
import { englishTime, koreanTime } from './shown-time.ts';
import type { Warning } from './usage-state.ts';

export const LOCALES = ['ko', 'en'] as const;
export type Locale = (typeof LOCALES)[number];

type Sentences = Readonly<Record<Locale, string>>;

/** The sentence that a person reads for each code, Korean first. No sentence names internals. */
export const ERROR_SENTENCES = {
  invalid_json: { ko: '요청 본문이 올바른 JSON 객체가 아닙니다.', en: 'The request body is not a JSON object.' },
  invalid_request: { ko: '요청 내용이 올바르지 않습니다.', en: 'The request is not valid.' },
  invalid_event_id: { ko: 'Last-Event-ID 값이 올바르지 않습니다.', en: 'Last-Event-ID is malformed.' },
  unsupported_media_type: {
    ko: 'Content-Type은 application/json이어야 합니다.',
    en: 'Content-Type must be application/json.',
  },
  payload_too_large: { ko: '요청 본문이 너무 큽니다.', en: 'The request body is too large.' },
  unknown_model: {
    ko: '제공하지 않는 모델입니다. GET /api/models에서 확인해 주세요.',
    en: 'No such model is offered; see GET /api/models.',
  },
  unauthorized: {
    ko: '인증이 필요합니다. 올바른 토큰을 Authorization 헤더로 보내 주세요.',
    en: 'Authentication is required: send a valid bearer token.',
  },
  forbidden: { ko: '이 작업을 할 권한이 없습니다.', en: 'You are not allowed to do this.' },
  insufficient_scope: {
    ko: '이 API 키로는 할 수 없는 요청입니다. 키의 권한을 확인해 주세요.',
    en: 'This API key may not do that; check its scopes.',
  },
  sign_in_required: {
    ko: 'API 키로는 할 수 없습니다. 직접 로그인한 뒤 다시 시도해 주세요.',
    en: 'An API key cannot do this; sign in yourself and try again.',
  },
  too_many_keys: {
    ko: '사용 중인 API 키가 너무 많습니다. 쓰지 않는 키를 폐기한 뒤 다시 시도해 주세요.',
    en: 'You have too many live API keys; revoke one that you do not use.',
  },
  key_rotating: {
    ko: '이전 비밀 키가 아직 유효합니다. 만료된 뒤 다시 교체하거나, 이전 키를 바로 끝내도록 교체해 주세요.',
    en: 'The previous secret still works; wait until it expires, or rotate without overlap.',
  },
  not_found: { ko: '찾을 수 없습니다.', en: 'Not found.' },
  method_not_allowed: {
    ko: '이 주소에서 지원하지 않는 메서드입니다.',
    en: 'This address does not support that method.',
  },
  rate_limited: {
    ko: '요청이 너무 많습니다. 잠시 후 다시 시도해 주세요.',
    en: 'Too many requests; try again shortly.',
  },
  TOKEN_EXHAUSTED: {
    ko: '이번 달 토큰을 모두 사용했습니다. 토큰을 구매하거나 초기화를 기다려 주세요.',
    en: 'This month’s tokens are used up. Buy tokens or wait for the reset.',
  },
  KEY_CAP_REACHED: {
    ko: '이 API 키의 사용 한도에 도달했습니다. 키의 한도를 높이거나 다음 기간을 기다려 주세요.',
    en: 'This API key has reached its cap. Raise the cap, or wait for the next period.',
  },
  tokens_held: {
    ko: '진행 중인 다른 질문이 남은 토큰을 확보하고 있습니다. 잠시 후 다시 시도해 주세요.',
    en: 'Turns in progress hold the remaining tokens; try again shortly.',
  },
  conversation_busy: {
    ko: '이 대화에서 답변이 진행 중입니다. 끝난 뒤 다시 시도해 주세요.',
    en: 'A turn is running in this conversation; try again when it has ended.',
  },
  idempotency_conflict: {
    ko: '같은 키로 다른 내용이 이미 접수되었습니다.',
    en: 'This key is already bound to another request.',
  },
  turn_not_failed: { ko: '실패한 답변만 다시 시도할 수 있습니다.', en: 'Only a failed turn can be run again.' },
  nobody_waits: {
    ko: 'API로 요청한 답변은 기다리는 쪽이 없어 다시 실행할 수 없습니다.',
    en: 'This turn came through the API; nobody waits for it any more, so it is not run again.',
  },
  answer_erased: {
    ko: '이 답변은 보관 기간이 지나 지워졌습니다. 다시 실행하거나 청구하지 않습니다.',
    en: 'This answer was erased after its retention; it is neither run nor charged again.',
  },
  unsupported_parameter: { ko: '지원하지 않는 매개변수입니다.', en: 'This parameter is not supported.' },
  turn_erased: {
    ko: '삭제된 대화의 질문이라 다시 보내거나 실행할 수 없습니다.',
    en: 'The conversation of this turn was deleted; it cannot be run again.',
  },
  confirm_required: {
    ko: '여러 건을 다시 실행하려면 confirm에 대상 수를 그대로 보내 주세요.',
    en: 'To replay more than one turn, repeat their count as confirm.',
  },
  version_conflict: {
    ko: '그사이 다른 곳에서 바뀌었습니다. 새로 불러온 내용을 확인한 뒤 다시 저장해 주세요.',
    en: 'It was changed elsewhere meanwhile. Look at it as it is now, then save again.',
  },
  too_many_open_purchases: {
    ko: '결제를 기다리는 구매가 너무 많습니다. 진행 중인 구매를 마치거나 만료된 뒤 다시 시도해 주세요.',
    en: 'Too many purchases wait for their payment; finish one, or wait until it expires.',
  },
  too_many_share_links: {
    ko: '이 대화의 공유 링크가 너무 많습니다. 쓰지 않는 링크를 지운 뒤 다시 시도해 주세요.',
    en: 'This conversation has too many links; revoke one that is no longer needed.',
  },
  amount_mismatch: {
    ko: '결제 금액이 구매 금액과 다릅니다. 결제는 진행되지 않았습니다.',
    en: 'The amount differs from the purchase’s; nothing was charged.',
  },
  payment_pending: {
    ko: '결제를 확인하고 있습니다. 잠시 후 구매 내역에서 확인해 주세요.',
    en: 'The payment is being checked; look at your purchases in a moment.',
  },
  payment_declined: {
    ko: '결제가 승인되지 않았습니다. 다른 결제 수단으로 다시 시도해 주세요.',
    en: 'The payment was declined; try another way to pay.',
  },
  card_declined: {
    ko: '카드사가 거절한 카드입니다. 다른 카드를 등록하거나, 토큰을 한 번 직접 구매한 뒤 다시 켜 주세요.',
    en: 'The bank declined this card; add another one, or buy tokens once yourself and turn it on again.',
  },
  not_refundable: {
    ko: '환불할 수 있는 토큰이 없거나 환불 기간이 지났습니다.',
    en: 'No tokens of it can be refunded, or the time for a refund is over.',
  },
  not_acceptable: {
    ko: '인정할 수 있는 결제가 아닙니다. 이 구매의 결제이면서 금액만 다를 때 인정할 수 있습니다.',
    en: 'This payment can’t be accepted: it must be this purchase’s own, and differ in its amount only.',
  },
  code_invalid: {
    ko: '등록할 수 없는 코드입니다. 코드를 다시 확인해 주세요. 이미 사용했거나 기한이 지난 코드일 수 있습니다.',
    en: 'This code can’t be redeemed. Check it again; it may have been used or have expired.',
  },
  provider_unavailable: {
    ko: '지금은 결제 서비스를 이용할 수 없습니다. 잠시 후 다시 시도해 주세요.',
    en: 'The payment service does not answer right now; try again shortly.',
  },
  channel_off: {
    ko: '이 서비스에서는 아직 이 방법으로 알림을 보내지 않습니다.',
    en: 'This service does not send notices this way yet.',
  },
  ...FILE_SENTENCES,
  account_suspended: {
    ko: '이용이 정지된 계정입니다. 고객센터에 문의해 주세요.',
    en: 'This account is suspended; please contact support.',
  },
  overloaded: {
    ko: '지금은 요청이 많습니다. 잠시 후 다시 시도해 주세요.',
    en: 'The service is busy; try again shortly.',
  },
  unavailable: {
    ko: '지금은 서비스를 이용할 수 없습니다. 잠시 후 다시 시도해 주세요.',
    en: 'The service is unavailable right now; try again shortly.',
  },
  model_unavailable: {
    ko: 'AI 모델이 응답하지 않았습니다. 다시 시도해 주세요.',
    en: 'The model did not answer; try again.',
  },
  model_rate_limited: {
    ko: 'AI 모델의 요청 한도를 넘었습니다. 잠시 후 다시 시도해 주세요.',
    en: 'The model’s rate limit was reached; try again shortly.',
  },
  model_timeout: {
    ko: 'AI 모델의 응답이 너무 늦어 중단했습니다. 다시 시도해 주세요.',
    en: 'The model took too long; try again.',
  },
  model_rejected: { ko: 'AI 모델이 요청을 거절했습니다.', en: 'The model rejected the request.' },
  content_filtered: { ko: '내용 정책에 따라 답변할 수 없습니다.', en: 'The content filter withheld the answer.' },
  context_length: {
    ko: '질문이 모델에서 처리할 수 있는 길이를 넘습니다.',
    en: 'The question is too long for the model.',
  },
  interrupted: { ko: '답변이 중간에 끊겼습니다. 다시 시도해 주세요.', en: 'The turn was interrupted; try again.' },
  internal: { ko: '문제가 발생했습니다. 잠시 후 다시 시도해 주세요.', en: 'Something went wrong.' },
} as const satisfies Record<ErrorCode, Sentences>;

/** @param details of the error: what they say of a size, a file or what is in the way, the sentence says, too. */
export function errorSentence(
  code: ErrorCode,
  locale: Locale,
  { mostBytes, because, reason }: Partial<Record<'mostBytes' | 'because' | 'reason', unknown>> = {},
): string {
  if (because === 'own_instructions' && (code === 'TOKEN_EXHAUSTED' || code === 'KEY_CAP_REACHED'))
    return IN_THE_WAY[code][locale];
  if (code === 'file_refused') return refusalSentence(reason, locale) ?? ERROR_SENTENCES[code][locale];
  if (code !== 'payload_too_large' || typeof mostBytes !== 'number') return ERROR_SENTENCES[code][locale];
  const size = mostBytes % 1_048_576 === 0 ? `${mostBytes / 1_048_576} MiB` : `${Math.floor(mostBytes / 1_024)} KiB`;
  return locale === 'ko' ? `요청 본문이 ${size}를 넘습니다.` : `The request body is over ${size}.`;
}

export function warningSentence(warning: Pick<Warning, 'percentLeft'>, locale: Locale): string {
  if (warning.percentLeft === 0) {
    return locale === 'ko'
      ? '토큰을 모두 사용했습니다. 이어서 사용하려면 토큰을 구매하세요.'
      : 'Your tokens are used up. Buy tokens to go on.';
  }
  return locale === 'ko'
    ? `토큰이 ${warning.percentLeft}% 남았습니다.`
    : `${warning.percentLeft}% of your tokens are left.`;
}

/** The figures of an alert's text (G21), as they were when the alert was decided. */
export interface AlertFigures {
  readonly level: AlertLevel;
  readonly usagePercent: number;
  readonly remainingTokens: number;
  readonly resetsAt: Instant;
  /** The reader's zone, in which the reset is told. */
  readonly timeZone: string;
  readonly purchaseUrl: string;
}

export function alertText(figures: AlertFigures, locale: Locale): { title: string; body: string } {
  return ALERT_TEXTS[locale](figures);
}

const ALERT_TEXTS = {
  ko({ level, usagePercent, remainingTokens, resetsAt, timeZone, purchaseUrl }) {
    const left = remainingTokens === 0 ? '남은 토큰이 없습니다.' : `남은 토큰은 ${grouped(remainingTokens)}개입니다.`;
    return {
      title:
        level === 'CRITICAL'
          ? `긴급: 토큰의 ${usagePercent}%를 사용했습니다`
          : `토큰의 ${usagePercent}%를 사용했습니다`,
      body: `이번 달 토큰의 ${usagePercent}%를 사용했습니다. ${left} ${koreanTime(resetsAt, timeZone)}에 초기화됩니다. 토큰 구매: ${purchaseUrl}`,
    };
  },
  en({ level, usagePercent, remainingTokens, resetsAt, timeZone, purchaseUrl }) {
    const left = remainingTokens === 0 ? 'No tokens are left' : `${grouped(remainingTokens)} tokens are left`;
    return {
      title: `${level === 'CRITICAL' ? 'Urgent: ' : ''}${usagePercent}% of your tokens are used`,
      body: `You have used ${usagePercent}% of this month’s tokens. ${left}; the allowance resets on ${englishTime(resetsAt, timeZone)}. Buy tokens: ${purchaseUrl}`,
    };
  },
} as const satisfies Record<Locale, (figures: AlertFigures) => { title: string; body: string }>;

export function grouped(tokens: number): string {
  return tokens.toLocaleString('en-US');
}
