import { expect, test } from '@jest/globals';
import type { Client } from '@temporalio/client';
import { WORKFLOW_TYPES } from '../../workflows/contract/ids.ts';
import { REDRIVE_SIGNALS } from '../../workflows/contract/redrive.ts';
import type * as workflows from '../../workflows/index.ts';

type Workflows = typeof workflows;

test('what a client may start is what a worker runs, by the same names', () => {
  const names = WORKFLOW_TYPES satisfies { [Name in keyof Workflows]: Name };
  // @ts-expect-error a workflow that no client knows by name
  WORKFLOW_TYPES satisfies Record<keyof Workflows | 'planted', string>;
  expect(Object.entries(names).filter(([key, name]) => key !== name)).toEqual([]);
});

test('a start that its workflow would not understand does not compile', () => {
  const start = async ({ workflow }: Client) => {
    const options = { workflowId: 'x', taskQueue: 'x' };
    await workflow.start<Workflows['chatTurn']>('chatTurn', { ...options, args: [{ turnId: 'x', userId: 1 }] });
    // @ts-expect-error a turn has an owner
    await workflow.start<Workflows['chatTurn']>('chatTurn', { ...options, args: [{ turnId: 'x' }] });
    // @ts-expect-error a redrive has a rate
    await workflow.start<Workflows['redriveTurns']>('redriveTurns', { ...options, args: [{ redriveId: 'x' }] });
    // @ts-expect-error its signals carry nothing
    await workflow.getHandle<Workflows['redriveTurns']>('x').signal(REDRIVE_SIGNALS.paused, 'now');
  };
  expect(start).toBeInstanceOf(Function);
});

test('the signals are called what histories and the Temporal UI call them', () => {
  expect(Object.entries(REDRIVE_SIGNALS).map(([step, { name, type }]) => [step, name, type])).toEqual([
    ['paused', 'pause', 'signal'],
    ['running', 'resume', 'signal'],
    ['cancelling', 'cancel', 'signal'],
  ]);
});
