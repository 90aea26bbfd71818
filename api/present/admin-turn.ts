import type { z } from 'zod';
import type { AttemptRecord, DebitRecord, HoldRecord, TurnDetail } from '../../db/reports/turn-detail.ts';
import type { Locale } from '../../domain/messages.ts';
import type { Model } from '../../domain/model.ts';
import { describeTimeline } from '../../domain/turn-timeline.ts';
import type { TurnRecord } from '../../domain/turn.ts';
import type { TemporalLinks } from '../../platform/temporal/redrives.ts';
import { turnWorkflowId } from '../../workflows/contract/ids.ts';
import type { adminTurn, AdminTurnDetail } from '../wire/admin-turn.ts';
import { iso, isoOrNull, presentTurn } from './turn.ts';

interface Reading {
  readonly locale: Locale;
  readonly models: readonly Model[];
}

/** A turn as an admin's list shows it: whose it is and how it went, without its texts. */
export function presentAdminTurn(turn: TurnRecord, reading: Reading): Omit<z.infer<typeof adminTurn>, 'person'> {
  const { content: _content, warning: _warning, ...shown } = presentTurn(turn, reading);
  const { userId, sequence, replayedAt, createdAt, endedAt } = turn;
  return {
    ...shown,
    userId,
    sequence,
    ...(replayedAt === null ? {} : { replayedAt: iso(replayedAt) }),
    ...(endedAt === null ? {} : { durationMs: Math.max(0, endedAt - createdAt) }),
  };
}

/** @param newest Temporal's newest run, which may not have reached PostgreSQL. */
export function presentTurnDetail(
  detail: TurnDetail,
  newest: { runId: string; status: string } | null,
  { links, ...reading }: Reading & { links: TemporalLinks },
): Omit<AdminTurnDetail, 'person'> {
  const { turn, holds, attempts, debits, content } = detail;
  const workflowId = turnWorkflowId(turn.userId, turn.turnId);
  const runIds = new Set([...detail.runIds, ...(newest === null ? [] : [newest.runId])]);
  return {
    ...presentAdminTurn(turn, reading),
    timeline: describeTimeline({ turn, holds, attempts }).map(({ at, ...step }) => ({
      at: iso(at),
      sinceAcceptedMs: at - turn.createdAt,
      ...step,
    })),
    holds: holds.map(presentHold),
    attempts: attempts.map(presentAttempt),
    ledgerEntries: debits.map(presentDebit),
    workflow: {
      workflowId,
      status: newest?.status ?? null,
      url: links.workflow(workflowId),
      runs: [...runIds].map((runId) => ({ runId, url: links.run(workflowId, runId) })),
    },
    ...content,
  };
}

function presentHold({ createdAt, expiresAt, endedAt, ...hold }: HoldRecord) {
  return { ...hold, createdAt: iso(createdAt), expiresAt: isoOrNull(expiresAt), endedAt: isoOrNull(endedAt) };
}

function presentAttempt({ number, runId, state, error, finishReason, startedAt, endedAt, ...rest }: AttemptRecord) {
  const { promptTokens, cachedTokens, completionTokens, reasoningTokens, estimated } = rest;
  return {
    number,
    runId,
    state,
    error,
    finishReason,
    finishWord: rest.finishWord,
    finishUnknown: rest.finishUnknown,
    providerUsage: rest.providerUsage,
    provider: { status: rest.providerStatus, code: rest.providerCode, requestId: rest.providerRequestId },
    usage:
      promptTokens === null || completionTokens === null
        ? null
        : {
            promptTokens,
            cachedTokens: cachedTokens ?? 0,
            completionTokens,
            reasoningTokens: reasoningTokens ?? 0,
            estimated: estimated ?? false,
          },
    startedAt: iso(startedAt),
    endedAt: isoOrNull(endedAt),
    durationMs: endedAt === null ? null : Math.max(0, endedAt - startedAt),
  };
}

function presentDebit({ createdAt, ...debit }: DebitRecord) {
  return { kind: 'debit' as const, ...debit, createdAt: iso(createdAt) };
}
