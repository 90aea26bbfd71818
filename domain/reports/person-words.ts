import { monthName } from '../channels/shown.ts';
import { grouped, type Locale } from '../messages.ts';
import type { Advice } from './advice.ts';

/** The words of a person's printed report. */
export const WORDS = {
  ko: {
    lang: 'ko-KR',
    title: (label: string) => `${monthName(label, 'ko')} 사용 패턴 분석 리포트`,
    lead: (from: string, until: string, zone: string) => `${from}부터 ${until} 전까지, ${zone} 기준입니다.`,
    footer: (label: string) => `Turnkeeper · ${monthName(label, 'ko')} 사용 리포트`,
    summary: '한눈에 보기',
    heat: '요일과 시간대별 사용량',
    advice: '이렇게 해 보세요',
    noAdvice: '지금처럼 사용하셔도 좋습니다. 따로 권해 드릴 것이 없습니다.',
    facts: {
      used: '사용한 토큰',
      turns: '질문',
      none: '없음',
      split: '토큰 종류별',
      prompt: '보낸 토큰(모델 기준)',
      completion: '받은 토큰(모델 기준)',
      cached: '캐시에서 읽은 토큰',
      reasoning: '추론에 쓰인 토큰',
      history: '이전 대화가 차지한 비율',
      adjusted: '조정된 토큰',
      granted: '지급된 토큰',
      reversed: '회수된 토큰',
      tokens: (n: string) => `${n}개`,
      mean: (turns: string, mean: string) => `${turns}건, 한 건에 평균 ${mean}`,
      of: (purchased: string, allowance: string, overage: string) =>
        `구매 ${purchased} · 무료 ${allowance} · 초과 ${overage}`,
      about: (percent: number) => `보낸 토큰의 약 ${percent}%`,
    },
    before: {
      heading: (month: string) => `${month}과 비교`,
      before: '지난달',
      now: '이번 달',
      change: '변화',
      days: (days: number) => `첫 ${days}일 토큰`,
      whole: '한 달 전체 토큰',
      turns: '질문 수',
    },
    busiest: {
      none: '사용 기록이 없습니다.',
      most: (day: string, hour: number, tokens: string) =>
        `가장 많이 사용한 때: ${day}요일 ${hour}시 (토큰 ${tokens}개)`,
    },
    models: { heading: '모델별 사용량', columns: ['모델', '질문', '토큰', '캐시', '추론'] },
    costliest: {
      heading: '토큰을 가장 많이 사용한 질문',
      columns: ['시각과 질문 ID', '모델', '보낸 토큰', '받은 토큰', '차감'],
    },
    limits: {
      heading: '한도와 예측',
      days: '90% 이상이었던 날',
      count: (days: number) => `${days}일`,
      blocked: '토큰이 없어 보내지 못한 질문',
      next: '같은 속도라면 다음 달 토큰이 떨어지는 날',
      lasts: '다음 초기화까지 충분합니다',
      off: '지난 예측의 정확도',
      offBy: (days: number, made: number) => `평소 ${days}일 차이 (예측 ${made}번)`,
      unusual: '평소보다 많이 사용한 날',
      none: '없음',
    },
    days: { heading: '날짜별 사용량', columns: ['날짜', '질문', '토큰'] },
    sentence: (advice: Advice): string => {
      if (advice.code === 'buy_ahead')
        return `토큰이 없어 질문 ${grouped(advice.blockedTurns)}건을 보내지 못했습니다. 90%에 가까워지면 미리 토큰을 구매해 보세요.`;
      if (advice.code === 'shorten_history')
        return `보낸 토큰의 약 ${advice.percent}%가 이전 대화였습니다. 주제가 바뀌면 새 대화를 시작해 보세요.`;
      return `토큰의 ${advice.percent}%를 ${advice.model} 모델에 사용했습니다. 간단한 질문은 ${advice.smaller} 모델에 물어보세요.`;
    },
  },
  en: {
    lang: 'en-US',
    title: (label: string) => `Usage report, ${monthName(label, 'en')}`,
    lead: (from: string, until: string, zone: string) => `From ${from} until ${until}, in ${zone}.`,
    footer: (label: string) => `Turnkeeper · usage report, ${monthName(label, 'en')}`,
    summary: 'At a glance',
    heat: 'Tokens by weekday and hour',
    advice: 'Tips',
    noAdvice: 'Nothing to change. Your use looks good as it is.',
    facts: {
      used: 'Tokens used',
      turns: 'Messages',
      none: 'none',
      split: 'By kind of token',
      prompt: 'Sent, in the model’s tokens',
      completion: 'Received, in the model’s tokens',
      cached: 'Read from the cache',
      reasoning: 'Spent on reasoning',
      history: 'Earlier messages',
      adjusted: 'Adjusted',
      granted: 'Granted',
      reversed: 'Taken back',
      tokens: (n: string) => n,
      mean: (turns: string, mean: string) => `${turns}, ${mean} tokens on average`,
      of: (purchased: string, allowance: string, overage: string) =>
        `purchased ${purchased} · free ${allowance} · overage ${overage}`,
      about: (percent: number) => `about ${percent}% of what was sent`,
    },
    before: {
      heading: (month: string) => `Compared with ${month}`,
      before: 'Before',
      now: 'This month',
      change: 'Change',
      days: (days: number) => `Tokens, first ${days} days`,
      whole: 'Tokens, whole month',
      turns: 'Messages',
    },
    busiest: {
      none: 'Nothing was used.',
      most: (day: string, hour: number, tokens: string) => `Most used: ${day} from ${hour}:00 (${tokens} tokens)`,
    },
    models: { heading: 'By model', columns: ['Model', 'Messages', 'Tokens', 'Cached', 'Reasoning'] },
    costliest: {
      heading: 'Costliest messages',
      columns: ['When, and its id', 'Model', 'Sent', 'Received', 'Debited'],
    },
    limits: {
      heading: 'Limits and forecast',
      days: 'Days at 90% or more',
      count: (days: number) => String(days),
      blocked: 'Messages not sent: out of tokens',
      next: 'At this pace, next month’s tokens run out',
      lasts: 'not before the next reset',
      off: 'Forecast accuracy',
      offBy: (days: number, made: number) => `usually ${days} ${days === 1 ? 'day' : 'days'} off (forecasts: ${made})`,
      unusual: 'Unusually busy days',
      none: 'none',
    },
    days: { heading: 'By day', columns: ['Day', 'Messages', 'Tokens'] },
    sentence: (advice: Advice): string => {
      if (advice.code === 'buy_ahead')
        return advice.blockedTurns === 1
          ? '1 message wasn’t sent because you were out of tokens. Consider buying more when you get close to 90%.'
          : `${grouped(advice.blockedTurns)} messages weren’t sent because you were out of tokens. Consider buying more when you get close to 90%.`;
      if (advice.code === 'shorten_history')
        return `About ${advice.percent}% of what you sent was earlier messages. Start a new chat when you change the subject.`;
      return `${advice.percent}% of your tokens went to ${advice.model}. For simple questions, try ${advice.smaller}.`;
    },
  },
} as const satisfies Record<Locale, object>;
