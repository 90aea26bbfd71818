import {
  defaultPayloadConverter,
  defineSearchAttributeKey,
  SearchAttributeType,
  type Headers,
} from '@temporalio/common';
import type { AlertLevel } from '../domain/alerts.ts';
import type { TurnFailureCode } from '../domain/errors.ts';
import type { RedriveProgress, RedriveStep } from '../domain/redrive.ts';
import type { ResetOutcome } from '../domain/reset.ts';
import type { ScheduleKind } from '../domain/schedules.ts';

/** Ids only: no chat text, e-mail or secret ever reaches Temporal. */
export interface ChatTurnInput {
  readonly turnId: string;
  readonly userId: number;
}

export interface ChatTurnResult {
  readonly state: 'completed' | 'stopped' | 'refused';
}

export const WORKFLOW_TYPES = {
  chatTurn: 'chatTurn',
  reconcile: 'reconcile',
  allowanceReset: 'allowanceReset',
  usageAlert: 'usageAlert',
  repairSchedules: 'repairSchedules',
  adminStats: 'adminStats',
  redriveTurns: 'redriveTurns',
} as const;

/**
 * @param userId the owner,
 * @param turnId a UUID; one workflow id per turn for ever: re-sends, retries and replays are runs of it.
 */
export function turnWorkflowId(userId: number, turnId: string): string {
  return `turn/${userId}/${turnId}`;
}

/** Whose turn it is; null for an id that `turnWorkflowId` did not make, such as somebody's own in the Temporal UI. */
export function ownerOfTurnWorkflow(workflowId: string): number | null {
  const [, userId] = /^turn\/([1-9]\d{0,15})\//.exec(workflowId) ?? [];
  return userId === undefined ? null : Number(userId);
}

export const RECONCILE_SCHEDULE_ID = 'reconcile';
export const REPAIR_SCHEDULES_ID = 'schedules-repair';
export const ADMIN_STATS_SCHEDULE_ID = 'admin-stats';

const SCHEDULE_FOLDERS = { reset: 'allowance-reset', alert: 'usage-alert' } as const satisfies Record<
  ScheduleKind,
  string
>;

/** A user's own schedule; its workflows are named after it, with the nominal time behind. */
export function userScheduleId(kind: ScheduleKind, userId: number): string {
  return `${SCHEDULE_FOLDERS[kind]}/${userId}`;
}

/** One workflow a redrive; started again under the same id when Temporal has lost it. */
export function redriveWorkflowId(redriveId: string): string {
  return `redrive/${redriveId}`;
}

/** What a redrive hears, in the Temporal UI too, and what its row then says. */
export const REDRIVE_SIGNALS = { pause: 'paused', resume: 'running', cancel: 'cancelling' } as const satisfies Record<
  string,
  RedriveStep
>;

export interface RedriveInput {
  readonly redriveId: string;
  readonly ratePerSecond: number;
  /** Of its history, before it goes on as a new run; 4,000 unless it is said. */
  readonly mostEvents?: number;
}

/** @returns null for a schedule that is no user's. */
export function parseUserScheduleId(id: string): { kind: ScheduleKind; userId: number } | null {
  const [, folder, digits] = /^(allowance-reset|usage-alert)\/([1-9]\d{0,15})$/.exec(id) ?? [];
  return folder === undefined
    ? null
    : { kind: folder === SCHEDULE_FOLDERS.reset ? 'reset' : 'alert', userId: Number(digits) };
}

/** `turns` for people, `background` for replays, schedules and reconcile; the prefix keeps test runs apart. */
export function taskQueues(prefix: string): { readonly turns: string; readonly background: string } {
  return { turns: `${prefix}turns`, background: `${prefix}background` };
}

/** What the Temporal UI filters by; ids and codes only, since search attributes are not encrypted. */
export const SEARCH_ATTRIBUTES = {
  userId: defineSearchAttributeKey('UserId', SearchAttributeType.KEYWORD),
  conversationId: defineSearchAttributeKey('ConversationId', SearchAttributeType.KEYWORD),
  model: defineSearchAttributeKey('Model', SearchAttributeType.KEYWORD),
  turnError: defineSearchAttributeKey('TurnError', SearchAttributeType.KEYWORD),
  replayed: defineSearchAttributeKey('Replayed', SearchAttributeType.BOOL),
} as const;

/** The name that Temporal's own tracing interceptors use in every SDK. */
const TRACE_HEADER = '_tracer-data';

/** @param traceparent W3C; null: nothing is carried. */
export function traceHeaders(traceparent: string | null): Headers {
  return traceparent === null ? {} : { [TRACE_HEADER]: defaultPayloadConverter.toPayload({ traceparent }) };
}

/** @returns null when there is none, or what is there is none. */
export function readTraceparent(headers: Headers): string | null {
  const payload = headers[TRACE_HEADER];
  if (payload === undefined) return null;
  const { traceparent } = defaultPayloadConverter.fromPayload<{ traceparent?: unknown }>(payload);
  return typeof traceparent === 'string' && /^00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$/.test(traceparent)
    ? traceparent
    : null;
}

/**
 * A workflow as one span: its id is its run's, so that every worker that runs a part of it says the same. Ids and types
 * only.
 */
export interface WorkflowSpan {
  readonly parent: string;
  readonly spanId: string;
  readonly endedAt: number;
  /** Type of the failure. */
  readonly failure: string | null;
}

/** What a workflow tells the worker that runs it. */
export type TraceSinks = { readonly trace: { workflowEnded(span: WorkflowSpan): void } };

/**
 * An answer that PostgreSQL has stored: what settle books. Numbers only; the text stays in PostgreSQL (G9: input, never
 * re-read).
 */
export interface StoredAnswer {
  readonly attempt: number;
  readonly outcome: 'completed' | 'stopped';
  readonly promptTokens: number;
  readonly cachedTokens: number;
  readonly completionTokens: number;
  /** The provider sent no usage: counted by us, capped at the hold. */
  readonly estimated: boolean;
}

/** How a turn that may not run is over. `completed` and `stopped` are endings of before; nothing is charged again. */
export type Ended =
  | { readonly kind: 'ended'; readonly state: 'completed' | 'stopped' | 'refused' }
  | { readonly kind: 'failed'; readonly code: TurnFailureCode };

export type Reserved =
  | { readonly kind: 'held'; readonly holdId: string; readonly outputLimit: number; readonly model: string }
  | { readonly kind: 'answered'; readonly answer: StoredAnswer }
  | Ended;

export type Generated = { readonly kind: 'answered'; readonly answer: StoredAnswer } | Ended;

export type Released = { readonly kind: 'answered'; readonly answer: StoredAnswer } | Ended;

/**
 * Why a turn is released: it failed with a code, or it was stopped (by the person or by a cancel) before there was an
 * answer.
 */
export type ReleaseReason = { readonly as: 'failed'; readonly code: TurnFailureCode } | { readonly as: 'stopped' };

/** The activities a turn needs; every one is safe to run twice. */
export interface TurnActivities {
  /**
   * Admission and hold in one transaction, idempotent by (turn, run). `cancelled`: the workflow was cancelled before it
   * began.
   */
  reserveTurn(input: { turnId: string; cancelled: boolean }): Promise<Reserved>;
  /**
   * One model call: opens an attempt, streams, stores the answer.
   * @throws ApplicationFailure typed by `TURN_FAILURE_TYPES`.
   */
  generate(input: { turnId: string; holdId: string }): Promise<Generated>;
  /** Books the answer once: debit, hold settled, message final. `arm`: what its account needs now and has not armed. */
  settleTurn(input: {
    turnId: string;
    answer: StoredAnswer;
  }): Promise<{ state: 'completed' | 'stopped'; arm?: readonly ScheduleKind[] }>;
  /** Ends the turn without an answer: hold released, nothing charged. Finds a stored answer → settle that instead. */
  releaseTurn(input: { turnId: string; reason: ReleaseReason }): Promise<Released>;
}

/** A user's account over the month. */
export interface MonthActivities {
  /** Arms what the account needs and has not; nothing when somebody else has done it. */
  armSchedules(input: { userId: number }): Promise<{ armed: readonly ScheduleKind[] }>;
  /** @param input.firedFor the nominal time of the firing, milliseconds. */
  resetAllowance(input: { userId: number; firedFor: number }): Promise<ResetReport>;
  checkUsage(input: { userId: number }): Promise<AlertReport>;
  repairSchedules(): Promise<ScheduleReport>;
}

/** What a firing of `allowance-reset/{userId}` did; an admin reads it in the Temporal UI. */
export interface ResetReport {
  readonly outcome: ResetOutcome | 'no_such_user';
  /** The open period and how much was used in the one before, where the firing looked. */
  readonly period?: string;
  readonly closedUsedTokens?: number;
  /** Nothing was used for a whole period: the schedule was deleted, until the account is used again. */
  readonly disarmed: boolean;
}

/** What a firing of `usage-alert/{userId}` did. */
export interface AlertReport {
  /**
   * `sent`: a notification. `sent_before`: less than 24 hours ago. `below`: under 90 %, also because a new period has
   * begun.
   */
  readonly outcome: 'sent' | 'sent_before' | 'below' | 'no_such_user';
  readonly level?: AlertLevel;
  readonly usagePercent?: number;
  readonly notificationId?: number;
  /** There is nothing to watch any more: the schedule was deleted, until the account is at 90 % again. */
  readonly disarmed: boolean;
}

/** What a comparison of schedules and accounts found, by what was wrong; `mended` of them are right now. */
export interface ScheduleReport {
  readonly accounts: number;
  readonly schedules: number;
  readonly missing: number;
  readonly mistimed: number;
  readonly needless: number;
  readonly unrecorded: number;
  readonly mended: number;
}

export interface AdminStatsActivities {
  /** Computes the admins' statistics and caches them. */
  refreshAdminStats(): Promise<AdminStatsReport>;
}

/** Figures only: the top users stay between PostgreSQL, Redis and the admins. */
export interface AdminStatsReport {
  readonly totalUsers: number;
  readonly activeUsers: number;
  readonly totalUsedTokens: number;
  readonly totalPurchasedTokens: number;
  readonly averageUsedTokens: number;
  readonly under50: number;
  readonly under80: number;
  readonly under90: number;
  readonly under95: number;
  readonly over95: number;
  /** ISO 8601 */
  readonly asOf: string;
  /** False when Redis did not take them: then who asks computes them. */
  readonly cached: boolean;
}

export interface RedriveActivities {
  /** Notes what has ended, begins at most `most` more while the redrive runs, and ends it when nothing is left. */
  advanceRedrive(input: { redriveId: string; most: number }): Promise<RedriveProgress>;
  moveRedrive(input: { redriveId: string; to: RedriveStep }): Promise<void>;
}

export interface ReconcileActivities {
  reconcileTurns(): Promise<ReconcileReport>;
}

/** What one reconcile found and mended. */
export interface ReconcileReport {
  readonly settled: number;
  readonly started: number;
  readonly interrupted: number;
  /** Turns that could not be mended in this round. Absent in histories of older workers. */
  readonly failed?: number;
  readonly expiredHolds: number;
  /**
   * Accounts or periods whose counters, or periods whose rollups, differ from the sum of their ledger entries: must be
   * 0.
   */
  readonly mismatches: number;
}

/** The failure type an admin sees and queries in the Temporal UI, by error code. */
export const TURN_FAILURE_TYPES = {
  model_unavailable: 'LlmUnavailable',
  model_rate_limited: 'LlmRateLimited',
  model_timeout: 'LlmTimeout',
  model_rejected: 'LlmRejected',
  content_filtered: 'LlmContentFiltered',
  context_length: 'LlmContextLength',
  interrupted: 'TurnInterrupted',
  TOKEN_EXHAUSTED: 'TokenExhausted',
  conversation_busy: 'ConversationBusy',
  account_suspended: 'AccountSuspended',
} as const satisfies Record<TurnFailureCode, string>;
