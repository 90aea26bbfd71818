import type { Command } from 'commander';
import { getTurnDetail, type TurnDetail } from '../db/reports/turn-detail.ts';
import { describeTimeline, type TimelineStep } from '../domain/turn-timeline.ts';
import { turnWorkflowId } from '../workflows/contract/ids.ts';
import { instantOf, print, table } from './output.ts';
import { withDatabase, type ReadConfig } from './target.ts';
import { uuid } from './turn-filter.ts';

export function addTurnsShow(turns: Command, readConfig: ReadConfig): void {
  turns
    .command('show')
    .description(
      'one turn: its timeline, holds, model calls and debits, and its workflow; its texts are read through the admin API, which audits that',
    )
    .argument('<turnId>', 'the turn’s id', uuid)
    .option('--json', 'print {"turn", "timeline", "holds", "attempts", "debits", "runIds", "workflowId"}')
    .action(async (turnId: string, { json }: { json?: boolean }) => {
      await withDatabase(readConfig(), async (database) => {
        const { content: _, ...detail } = await getTurnDetail(database, { turnId, readContent: null });
        const workflowId = turnWorkflowId(detail.turn.userId, turnId);
        const timeline = describeTimeline(detail);
        print({ ...detail, timeline, workflowId }, { json, text: textOf(detail, timeline, workflowId) });
      });
    });
}

function textOf(
  { turn, attempts, debits, runIds }: Omit<TurnDetail, 'content'>,
  timeline: readonly TimelineStep[],
  workflowId: string,
): string {
  const { turnId, userId, conversationId, state, error, model } = turn;
  const providers = attempts
    .filter(({ providerStatus }) => providerStatus !== null)
    .map(({ number, providerStatus, providerCode, providerRequestId }) =>
      `call ${number}: HTTP ${providerStatus} ${providerCode ?? ''} ${providerRequestId ?? ''}`.trimEnd(),
    );
  const facts = [
    ['turn', turnId],
    ['state', error === null ? state : `${state} (${error})`],
    ['user', String(userId)],
    ['conversation', conversationId],
    ['model', model],
    ['workflow', workflowId],
    ...runIds.map((runId) => ['run', runId]),
    ...providers.map((said) => ['provider', said]),
    ...debits.map(({ entryId, tokens, period }) => ['debit', `${tokens} tokens in ${period}, entry ${entryId}`]),
  ];
  const steps = timeline.map((step) => [instantOf(step.at), step.step, detailOf(step)]);
  return `${table(facts)}\n\n${table([['at', 'step', ''], ...steps])}`;
}

function detailOf(step: TimelineStep): string {
  const { step: _, at: __, ...rest } = step;
  return Object.entries(rest)
    .filter(([name, value]) => value !== null && name !== 'runId')
    .map(([name, value]) => `${name} ${value}`)
    .join(', ');
}
