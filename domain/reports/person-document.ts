import { monthName } from '../channels/shown.ts';
import { grouped, type Locale } from '../messages.ts';
import { shown, zoneName } from '../shown-time.ts';
import type { Instant } from '../period.ts';
import { percentOf } from './advice.ts';
import type { Heat, ReportDocument, Section } from './document.ts';
import type { PersonReport } from './person-report.ts';
import { WORDS } from './person-words.ts';

/** A person's report as it is printed. It names turns by their ids: titles may change, and what is printed may not. */
export function personDocument(report: PersonReport, locale: Locale): ReportDocument {
  const words = WORDS[locale];
  const { label, timeZone, endsAt, startsAt } = report;
  const day = (at: Instant) => shown(at, timeZone).replace('T', ' ');
  return {
    lang: words.lang,
    title: words.title(label),
    lead: words.lead(day(startsAt), day(endsAt), zoneName(timeZone, locale)),
    date: endsAt,
    sections: [
      summary(report, locale),
      comparison(report, locale),
      { heading: words.heat, heat: heatOf(report, locale) },
      models(report, locale),
      costliest(report, locale),
      limits(report, locale),
      { heading: words.advice, lines: adviceLines(report, locale) },
      days(report, locale),
    ].filter((section) => section !== null),
    footer: words.footer(label),
  };
}

const WEEKDAYS = {
  ko: ['월', '화', '수', '목', '금', '토', '일'],
  en: ['Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun'],
} as const satisfies Record<Locale, readonly string[]>;

function summary({ usage, available, booked, history }: PersonReport, locale: Locale): Section {
  const words = WORDS[locale].facts;
  const n = (tokens: number) => words.tokens(grouped(tokens));
  const share = (part: number, whole: number) => `${grouped(part)} (${percentOf(part, whole)}%)`;
  return {
    heading: WORDS[locale].summary,
    facts: [
      [words.used, `${n(usage.usedTokens)} / ${n(available.totalTokens)} (${available.usagePercent}%)`],
      [words.turns, usage.meanTokens === null ? words.none : words.mean(grouped(usage.turns), n(usage.meanTokens))],
      [
        words.split,
        words.of(n(available.spentPurchasedTokens), n(available.spentAllowanceTokens), n(available.overageTokens)),
      ],
      [words.prompt, grouped(usage.promptTokens)],
      [words.completion, grouped(usage.completionTokens)],
      [words.cached, share(usage.cachedTokens, usage.promptTokens)],
      [words.reasoning, share(usage.reasoningTokens, usage.completionTokens)],
      ...(history === null
        ? []
        : [[words.history, words.about(percentOf(history.historyTokens, history.promptTokens))] as const]),
      ...(usage.adjustedTokens === 0 ? [] : [[words.adjusted, n(usage.adjustedTokens)] as const]),
      ...(booked.grants === 0 ? [] : [[words.granted, n(booked.grantedTokens)] as const]),
      ...(booked.reversals === 0 ? [] : [[words.reversed, n(booked.reversedTokens)] as const]),
    ],
  };
}

function comparison({ before, usage }: PersonReport, locale: Locale): Section | null {
  if (before === null) return null;
  const words = WORDS[locale].before;
  const { sameDays } = before;
  return {
    heading: words.heading(monthName(before.label, locale)),
    table: {
      columns: ['', words.before, words.now, words.change],
      rows: [
        [words.days(sameDays.days), sameDays.before, sameDays.debitedTokens] as const,
        [words.whole, before.debitedTokens, usage.debitedTokens] as const,
        [words.turns, before.turns, usage.turns] as const,
      ].map(([name, was, is]) => [name, grouped(was), grouped(is), changeOf(was, is)]),
    },
  };
}

/** In percent of what was before; a dash where nothing was. */
function changeOf(was: number, is: number): string {
  if (was === 0) return '-';
  const percent = Math.round(((is - was) / was) * 100);
  return `${percent > 0 ? '+' : ''}${grouped(percent)}%`;
}

function heatOf({ hours }: PersonReport, locale: Locale): Heat {
  const cells = Array.from({ length: 7 }, () => Array.from({ length: 24 }, () => 0));
  for (const { weekday, hour, debitedTokens } of hours) {
    const row = cells[weekday - 1];
    if (row !== undefined) row[hour] = debitedTokens;
  }
  const most = hours.toSorted((a, b) => b.debitedTokens - a.debitedTokens)[0];
  const words = WORDS[locale].busiest;
  return {
    weekdays: WEEKDAYS[locale],
    cells,
    caption:
      most === undefined
        ? words.none
        : words.most(WEEKDAYS[locale][most.weekday - 1] ?? '', most.hour, grouped(most.debitedTokens)),
  };
}

function models({ models }: PersonReport, locale: Locale): Section | null {
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
        `${percentOf(one.cachedTokens, one.promptTokens)}%`,
        `${percentOf(one.reasoningTokens, one.completionTokens)}%`,
      ]),
    },
  };
}

function costliest({ costliest, timeZone }: PersonReport, locale: Locale): Section | null {
  if (costliest.length === 0) return null;
  const words = WORDS[locale].costliest;
  return {
    heading: words.heading,
    table: {
      columns: words.columns,
      rows: costliest.map((turn) => [
        `${shown(turn.bookedAt, timeZone).replace('T', ' ')}  ${turn.turnId}`,
        turn.model,
        grouped(turn.promptTokens),
        grouped(turn.completionTokens),
        grouped(turn.debitedTokens),
      ]),
    },
  };
}

function limits({ limits, forecast, unusual, timeZone }: PersonReport, locale: Locale): Section {
  const words = WORDS[locale].limits;
  const day = (at: Instant | null) => (at === null ? words.lasts : shown(at, timeZone).slice(0, 10));
  return {
    heading: words.heading,
    facts: [
      [words.days, words.count(limits.daysAt90.length)],
      [words.blocked, grouped(limits.blockedTurns)],
      [words.next, day(forecast.nextDepletesAt)],
      ...(forecast.medianErrorDays === null
        ? []
        : [[words.off, words.offBy(forecast.medianErrorDays, forecast.made)] as const]),
      [
        words.unusual,
        unusual.length === 0
          ? words.none
          : unusual.map((one) => `${one.day} (${grouped(one.debitedTokens)})`).join(', '),
      ],
    ],
  };
}

function adviceLines({ advice }: PersonReport, locale: Locale): string[] {
  const words = WORDS[locale];
  return advice.length === 0 ? [words.noAdvice] : advice.map((one) => words.sentence(one));
}

function days({ days }: PersonReport, locale: Locale): Section | null {
  if (days.length === 0) return null;
  const words = WORDS[locale].days;
  return {
    heading: words.heading,
    table: { columns: words.columns, rows: days.map((one) => [one.day, grouped(one.turns), grouped(one.usedTokens)]) },
  };
}
