import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Client } from '@temporalio/client';
import { historyToJSON } from '@temporalio/common/lib/proto-utils.js';
import { randomBytes, randomUUID } from 'node:crypto';
import { rearmSchedules } from '../../operations/repair-schedules.ts';
import { readCodec } from '../../platform/config/codec-settings.ts';
import { dataConverterOf } from '../../platform/temporal/codec.ts';
import { createPlanner } from '../../platform/temporal/planner.ts';
import { taskQueues, WORKFLOW_TYPES } from '../../workflows/contract/ids.ts';
import type { usageAlert } from '../../workflows/usage-alert.ts';
import { startTestStack, type Person, type TestStack } from '../support/stack.ts';
import type { TestTurn } from '../support/turn.ts';
import { until } from '../support/until.ts';
import { answered, failed, stopped } from './stage.ts';

const [NEW, OLD] = ['new', 'old'].map((id) => `${id}:${randomBytes(32).toString('base64')}`) as [string, string];
const UI = 'https://temporal.example';
let stack: TestStack;
let admin: Person;
/** Somebody who has Temporal's data and no key. */
let stranger: Client;

beforeAll(async () => {
  stack = await startTestStack({ TEMPORAL_CODEC_KEYS: `${NEW},${OLD}`, TEMPORAL_UI_URL: `${UI}/ui/` });
  admin = await stack.person('admin');
  const { connection, namespace } = stack.temporal;
  stranger = new Client({ connection, namespace });
});
afterAll(() => stack.close());

test('without the key an export shows ids where Temporal needs them and nowhere else, and admins see the rest', async () => {
  const person = await stack.person();
  const turns = [await answered(stack, person), await failed(stack, person), await stopped(stack, person, 'request')];
  for (const turn of turns) {
    const exported = await exportOf(turn);
    const payloads = payloadsIn(exported.events);
    expect(payloads.length).toBeGreaterThanOrEqual(5);
    for (const { metadata } of payloads) expect(text(metadata['encoding'])).toBe('binary/encrypted');
    // The name of the workflow and its search attributes are what Temporal finds it by.
    const { searchAttributes: _, ...shown } = exported.events[0].workflowExecutionStartedEventAttributes;
    const bytes = [JSON.stringify({ ...shown, workflowId: '' }), ...payloads.map(({ data }) => text(data))].join();
    for (const id of [turn.turnId, 'turnId', 'userId', 'gpt-4', 'of user']) expect(bytes).not.toContain(id);
    const failures = messagesIn(exported.events);
    expect(failures.filter((message) => message !== 'Encoded failure')).toEqual([]);

    const { status, body } = await admin.call('POST', '/api/admin/codec/decode', { payloads });
    expect(status).toBe(200);
    const opened = body.payloads.map(({ data }: Written) => text(data)).join();
    for (const id of [turn.turnId, 'userId', 'of user', ...failures.slice(0, 1).map(() => 'model_rejected')])
      expect(opened).toContain(id);
  }
  expect(messagesIn((await exportOf(turns[1])).events).length).toBeGreaterThanOrEqual(2);
});

test('what began in the clear, by a process without keys, is done by one that has them', async () => {
  const { userId } = await stack.person();
  const workflowId = `usage-alert-${randomUUID()}`;
  await stranger.workflow.start<typeof usageAlert>(WORKFLOW_TYPES.usageAlert, {
    workflowId,
    taskQueue: taskQueues(stack.taskQueuePrefix).background,
    args: [{ userId }],
  });
  const run = stack.temporal.client.workflow.getHandle<typeof usageAlert>(workflowId);
  expect((await run.result()).outcome).toBe('below');
  await expect(stranger.workflow.getHandle(workflowId).result()).rejects.toThrow('binary/encrypted');
});

test('schedules are written anew by the key of today, before the one of before is taken away', async () => {
  const { userId } = await stack.person();
  const { connection, namespace } = stack.temporal;
  const before = new Client({ connection, namespace, dataConverter: dataConverterOf(readCodec(OLD)) });
  const { taskQueuePrefix } = stack;
  await createPlanner(before, { taskQueuePrefix }).arm('reset', { userId, timeZone: 'Asia/Seoul', periodEndsAt: 0 });
  const keyOf = async () => {
    const { schedule } = await connection.workflowService.describeSchedule({
      namespace,
      scheduleId: `${taskQueuePrefix}allowance-reset/${userId}`,
    });
    const [argument] = schedule?.action?.startWorkflow?.input?.payloads ?? [];
    return Buffer.from(argument?.metadata?.['encryption-key-id'] ?? []).toString();
  };
  expect(await keyOf()).toBe('old');
  // The list of schedules follows a moment later.
  await until(async () => {
    await rearmSchedules({ database: stack.db.database, planner: stack.planner });
    return (await keyOf()) === 'new';
  });
});

test('the door of the codec: admins, from pages of the Temporal UI, one unknown payload beside the others', async () => {
  const person = await stack.person();
  const path = '/api/admin/codec/decode';
  const ask = (who: Person, origin: string, payloads: unknown[] = []) =>
    who.raw('POST', path, { payloads }, { origin, 'x-namespace': 'default' });
  const preflight = await fetch(`${stack.url}${path}`, {
    method: 'OPTIONS',
    headers: { origin: UI, 'access-control-request-method': 'POST', 'access-control-request-headers': 'authorization' },
  });
  expect(preflight.status).toBe(204);
  expect(preflight.headers.get('access-control-allow-origin')).toBe(UI);
  expect(preflight.headers.get('access-control-allow-headers')?.toLowerCase()).toContain('authorization');
  const seen = [await ask(admin, UI), await ask(person, UI), await ask(person, 'https://evil.example')];
  expect(seen.map(({ status, headers }) => [status, headers.get('access-control-allow-origin')])).toEqual([
    [200, UI],
    [403, UI],
    [403, null],
  ]);
  expect((await fetch(`${stack.url}${path}`, { method: 'POST', headers: { origin: UI } })).status).toBe(401);
  const base64 = (of: string) => Buffer.from(of).toString('base64');
  const known = payloadsIn((await exportOf(await answered(stack, person))).events)[0];
  const others = [
    { metadata: { encoding: base64('json/plain') }, data: base64('1') },
    { metadata: { encoding: base64('binary/encrypted'), 'encryption-key-id': base64('gone') }, data: base64('x') },
  ];
  const reply = (await (await ask(admin, UI, [...others, known])).json()) as { payloads: Written[] };
  expect(reply.payloads.slice(0, 2)).toEqual(others);
  expect(text(reply.payloads[2]?.metadata['encoding'])).toBe('json/plain');
  expect((await admin.call('POST', path, { payloads: [{ data: '?' }] })).body.code).toBe('invalid_request');
});

interface Written {
  readonly metadata: Readonly<Record<string, string>>;
  readonly data: string;
}

async function exportOf(turn: TestTurn | undefined): Promise<any> {
  if (turn === undefined) throw new Error('there is a turn');
  return JSON.parse(historyToJSON(await stranger.workflow.getHandle(turn.workflowId).fetchHistory()));
}

/** All payloads but those that Temporal itself reads, and what the SDK's core says of its local activities. */
function payloadsIn(value: unknown): Written[] {
  if (typeof value !== 'object' || value === null) return [];
  if ('metadata' in value && 'data' in value && typeof value.data === 'string') return [value as Written];
  return Object.entries(value).flatMap(([name, part]) =>
    /^(header|searchAttributes)$/.test(name) ? [] : payloadsIn(withoutCore(part)),
  );
}

function withoutCore(part: unknown): unknown {
  if (typeof part !== 'object' || part === null || !('data' in part) || typeof part.data === 'string') return part;
  const { data: _, ...others } = part;
  return others;
}

function messagesIn(value: unknown): string[] {
  if (typeof value !== 'object' || value === null) return [];
  const own = 'message' in value && 'source' in value ? [String(value.message)] : [];
  return [...own, ...Object.values(value).flatMap(messagesIn)];
}

function text(base64: string | undefined): string {
  return Buffer.from(base64 ?? '', 'base64').toString();
}
