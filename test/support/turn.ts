import { randomUUID } from 'node:crypto';
import { WorkflowNotFoundError, type WorkflowHandle } from '@temporalio/client';
import type { History } from '@temporalio/common/lib/proto-utils.js';
import { sql } from 'kysely';
import { turnWorkflowId } from '../../workflows/contract/ids.ts';
import type { Person, TestStack } from './stack.ts';
import { until } from './until.ts';

/** The figures that every ending must leave right. */
export interface Books {
  readonly debits: number;
  readonly debited: number;
  readonly liveHolds: number;
}

/** A completed workflow task of one run, to which the Temporal UI and `temporal workflow reset` can reset. */
export interface ResetPoint {
  readonly runId: string;
  readonly eventId: EventId;
}

type EventId = NonNullable<NonNullable<History['events']>[number]['eventId']>;

/** One turn, as its person sees it and an admin who uses the Temporal UI. */
export class TestTurn {
  readonly stack: TestStack;
  readonly person: Person;
  readonly turnId = randomUUID();
  readonly #body: { readonly message: string };

  /** @param body the request, unless a send has its own. */
  constructor(
    stack: TestStack,
    person: Person,
    body: { readonly message: string; readonly conversationId?: string } = { message: '안녕' },
  ) {
    this.stack = stack;
    this.person = person;
    this.#body = body;
  }

  get message(): string {
    return this.#body.message;
  }

  get workflowId(): string {
    return turnWorkflowId(this.person.userId, this.turnId);
  }

  send(body: object = {}, headers: Record<string, string> = {}) {
    return this.person.call('POST', '/api/chat/send', { turnId: this.turnId, ...this.#body, ...body }, headers);
  }

  /** Reads its events from their start. */
  follow() {
    return this.person.raw('GET', `/api/chat/turns/${this.turnId}/events`);
  }

  read() {
    return this.person.call('GET', `/api/chat/turns/${this.turnId}`);
  }

  stop() {
    return this.person.call('POST', `/api/chat/turns/${this.turnId}/stop`);
  }

  retry() {
    return this.person.call('POST', `/api/chat/turns/${this.turnId}/retry`);
  }

  /** @param runId the run; the newest when it is left out. */
  handle(runId?: string): WorkflowHandle {
    return this.stack.temporal.client.workflow.getHandle(this.workflowId, runId);
  }

  /**
   * Waits for the end of a run.
   * @returns how it ended, as the Temporal UI shows it.
   */
  async ended(runId?: string): Promise<string> {
    const handle = this.handle(runId);
    await handle.result().catch(() => {});
    return (await handle.describe()).status.name;
  }

  async events(runId?: string) {
    return (await this.handle(runId).fetchHistory()).events ?? [];
  }

  /** Waits until its workflow exists, with or without a worker. */
  started(): Promise<void> {
    return until(() =>
      this.handle()
        .describe()
        .then(() => true, isNotFound),
    );
  }

  /** Waits until a regular activity of this type has been scheduled. */
  scheduled(activity: string, runId?: string): Promise<void> {
    return until(async () =>
      (await this.events(runId)).some(
        (event) => event.activityTaskScheduledEventAttributes?.activityType?.name === activity,
      ),
    );
  }

  async books(): Promise<Books> {
    const { rows } = await sql<Books>`select
        (select count(*)::int from ledger_entries where turn_id = ${this.turnId} and kind = 'debit') as debits,
        (select coalesce(sum(tokens), 0)::int from ledger_entries where turn_id = ${this.turnId}) as debited,
        (select count(*)::int from holds where turn_id = ${this.turnId} and state = 'pending') as "liveHolds"`.execute(
      this.stack.db.database.sql,
    );
    if (rows[0] === undefined) throw new Error('a count is one row');
    return rows[0];
  }

  /** The reset points of the newest run, first to last. */
  async resetPoints(): Promise<ResetPoint[]> {
    const { runId } = await this.handle().describe();
    const events = await this.events(runId);
    return events.flatMap(({ eventId, workflowTaskCompletedEventAttributes }) =>
      eventId == null || workflowTaskCompletedEventAttributes == null ? [] : [{ runId, eventId }],
    );
  }

  /**
   * Resets as the Temporal UI does.
   * @returns the new run.
   */
  async reset({ runId, eventId }: ResetPoint): Promise<string> {
    const { temporal } = this.stack;
    const { runId: started } = await temporal.connection.workflowService.resetWorkflowExecution({
      namespace: temporal.namespace,
      workflowExecution: { workflowId: this.workflowId, runId },
      reason: 'test',
      requestId: randomUUID(),
      workflowTaskFinishEventId: eventId,
    });
    return started;
  }
}

function isNotFound(error: unknown): false {
  if (error instanceof WorkflowNotFoundError) return false;
  throw error;
}
