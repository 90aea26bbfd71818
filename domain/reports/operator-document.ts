import { monthName } from '../channels/shown.ts';
import { grouped, type Locale } from '../messages.ts';
import { percentOf } from './advice.ts';
import type { ReportDocument, Section } from './document.ts';
import type { OperatorReport } from './operator-report.ts';

/** The operator's report as it is printed. */
export function operatorDocument(report: OperatorReport, locale: Locale): ReportDocument {
  const words = WORDS[locale];
  return {
    lang: words.lang,
    title: words.title(monthName(report.label, locale)),
    lead: words.lead,
    date: report.endsAt,
    sections: [
      usage(report, locale),
      money(report, locale),
      models(report, locale),
      errors(report, locale),
      limits(report, locale),
    ].filter((section) => section !== null),
    footer: `Turnkeeper · ${words.title(monthName(report.label, locale))}`,
  };
}

function usage({ usage }: OperatorReport, locale: Locale): Section {
  const words = WORDS[locale].usage;
  const share = (part: number) =>
    `${grouped(part)} (${(usage.debits === 0 ? 0 : (part / usage.debits) * 100).toFixed(2)}%)`;
  return {
    heading: words.heading,
    facts: [
      [words.accounts, grouped(usage.activeAccounts)],
      [words.turns, grouped(usage.turns)],
      [words.tokens, grouped(usage.usedTokens)],
      [words.purchased, grouped(usage.spentPurchasedTokens)],
      [words.overage, grouped(usage.overageTokens)],
      [words.adjusted, grouped(usage.adjustedTokens)],
      [
        words.sent,
        `${grouped(usage.promptTokens)} (${words.cached(percentOf(usage.cachedTokens, usage.promptTokens))})`,
      ],
      [words.received, grouped(usage.completionTokens)],
      [words.estimated, share(usage.estimatedTurns)],
      [words.overHold, share(usage.overHoldTurns)],
      [words.ceilingMoved, share(usage.ceilingMovedTurns)],
    ],
  };
}

function money({ sales, cost }: OperatorReport, locale: Locale): Section {
  const words = WORDS[locale].money;
  const minor = (amount: number, currency: string) =>
    currency === 'USD' ? `USD ${grouped(amount / 100)}` : `${currency} ${grouped(amount)}`;
  const micros = (amount: number, currency: string) => `${currency} ${grouped(Math.round(amount / 10_000) / 100)}`;
  return {
    heading: words.heading,
    facts: [
      [words.payers, grouped(sales.payers)],
      ...sales.revenue.map(
        ({ currency, paid, refunded }) =>
          [words.revenue(currency), words.refunded(minor(paid, currency), minor(refunded, currency))] as const,
      ),
      ...cost.known.map(
        ({ currency, micros: all, lostMicros }) =>
          [words.cost(currency), words.lost(micros(all, currency), micros(lostMicros, currency))] as const,
      ),
      ...(cost.callsWithoutPrice === 0 ? [] : [[words.unpriced, grouped(cost.callsWithoutPrice)] as const]),
      [words.granted, grouped(sales.grantedTokens)],
      [words.reversed, grouped(sales.reversedTokens)],
    ],
  };
}

function models({ models }: OperatorReport, locale: Locale): Section | null {
  if (models.length === 0) return null;
  const words = WORDS[locale].models;
  return {
    heading: words.heading,
    table: {
      columns: words.columns,
      rows: models.map((one) => [
        one.model,
        grouped(one.turns),
        grouped(one.debitedTokens),
        grouped(one.calls),
        grouped(one.lostCalls),
        grouped(one.lostTokens),
      ]),
    },
  };
}

function errors({ models }: OperatorReport, locale: Locale): Section | null {
  const rows = models.flatMap(({ model, calls, errors }) =>
    errors.map((one) => [`${model}  ${one.code}`, grouped(one.calls), `${((one.calls / calls) * 100).toFixed(2)}%`]),
  );
  const words = WORDS[locale].errors;
  return rows.length === 0 ? null : { heading: words.heading, table: { columns: words.columns, rows } };
}

function limits({ limits, cohort, calibration }: OperatorReport, locale: Locale): Section {
  const words = WORDS[locale].limits;
  return {
    heading: words.heading,
    facts: [
      [words.blocked, words.ofAccounts(grouped(limits.blockedTurns), grouped(limits.blockedAccounts))],
      [words.cohort, words.bought(grouped(cohort.ranOut), grouped(cohort.boughtWithin30Days))],
      ...calibration.map(
        ({ daysBefore, forecasts, medianErrorDays }) =>
          [words.forecasts(daysBefore), words.off(medianErrorDays, grouped(forecasts))] as const,
      ),
    ],
  };
}

const WORDS = {
  ko: {
    lang: 'ko-KR',
    title: (month: string) => `${month} 운영 리포트`,
    lead: '사용량은 계정마다의 한 달을, 모델 호출과 매출은 UTC 기준 한 달을 모은 값입니다.',
    usage: {
      heading: '사용량',
      accounts: '사용한 계정',
      turns: '답변한 질문',
      tokens: '사용한 토큰',
      purchased: '그중 구매한 토큰',
      overage: '초과 사용',
      adjusted: '조정된 토큰',
      sent: '모델에 보낸 토큰',
      cached: (percent: number) => `캐시 ${percent}%`,
      received: '모델에서 받은 토큰',
      estimated: '추정으로 차감한 질문',
      overHold: '확보한 양보다 많이 차감한 질문',
      ceilingMoved: '한도가 내려간 뒤 차감한 질문',
    },
    money: {
      heading: '매출과 비용',
      payers: '결제한 계정',
      revenue: (currency: string) => `매출(${currency})`,
      refunded: (paid: string, refunded: string) => `${paid}, 환불 ${refunded}`,
      cost: (currency: string) => `모델 비용(${currency})`,
      lost: (all: string, lost: string) => `${all}, 그중 차감하지 못한 호출 ${lost}`,
      unpriced: '가격을 모르는 호출',
      granted: '지급한 토큰',
      reversed: '회수한 토큰',
    },
    models: { heading: '모델별', columns: ['모델', '질문', '토큰', '호출', '미차감 호출', '미차감 토큰'] },
    errors: { heading: '모델별 오류', columns: ['모델과 오류', '호출', '비율'] },
    limits: {
      heading: '한도와 예측',
      blocked: '토큰이 없어 거절된 질문',
      ofAccounts: (turns: string, accounts: string) => `${turns}건 (계정 ${accounts}개)`,
      cohort: '지난달 토큰이 떨어진 계정',
      bought: (ranOut: string, bought: string) => `${ranOut}개, 그중 30일 안에 구매 ${bought}개`,
      forecasts: (days: string) => `${days}일 전 예측`,
      off: (days: number, count: string) => `평소 ${days}일 차이 (${count}번)`,
    },
  },
  en: {
    lang: 'en-US',
    title: (month: string) => `Operator’s report, ${month}`,
    lead: 'Usage adds up each account’s own month. Model calls and sales are for the month in UTC.',
    usage: {
      heading: 'Usage',
      accounts: 'Active accounts',
      turns: 'Turns answered',
      tokens: 'Tokens used',
      purchased: 'Purchased tokens among them',
      overage: 'Overage',
      adjusted: 'Adjusted',
      sent: 'Sent to models',
      cached: (percent: number) => `${percent}% cached`,
      received: 'Received from models',
      estimated: 'Debited by estimate',
      overHold: 'Debited above the hold',
      ceilingMoved: 'Debited after the limit was lowered',
    },
    money: {
      heading: 'Sales and costs',
      payers: 'Paying accounts',
      revenue: (currency: string) => `Revenue (${currency})`,
      refunded: (paid: string, refunded: string) => `${paid}, refunded ${refunded}`,
      cost: (currency: string) => `Cost of models (${currency})`,
      lost: (all: string, lost: string) => `${all}, of it ${lost} for calls nobody was debited for`,
      unpriced: 'Calls without a price',
      granted: 'Tokens granted',
      reversed: 'Tokens taken back',
    },
    models: { heading: 'By model', columns: ['Model', 'Turns', 'Tokens', 'Calls', 'Lost calls', 'Lost tokens'] },
    errors: { heading: 'Errors by model', columns: ['Model and error', 'Calls', 'Share'] },
    limits: {
      heading: 'Limits and forecasts',
      blocked: 'Turns refused: out of tokens',
      ofAccounts: (turns: string, accounts: string) => `${turns} (${accounts} accounts)`,
      cohort: 'Ran out of tokens the month before',
      bought: (ranOut: string, bought: string) => `${ranOut} accounts, ${bought} bought within 30 days`,
      forecasts: (days: string) => `Forecasts ${days} days ahead`,
      off: (days: number, count: string) => `usually ${days} days off (${count})`,
    },
  },
} as const satisfies Record<Locale, object>;
