import { beforeAll, expect, test } from '@jest/globals';
import type { Payload } from '@temporalio/common';
import { Worker } from '@temporalio/worker';
import { randomBytes } from 'node:crypto';
import { SetupError } from '../../domain/setup-error.ts';
import { readCodec } from '../../platform/config/codec-settings.ts';
import { readConfig } from '../../platform/config/config.ts';
import { createLog } from '../../platform/telemetry/log.ts';
import { createCodec, dataConverterOf, isEncrypted } from '../../platform/temporal/codec.ts';
import { bundleWorkflows } from '../../worker/bundle.ts';
import { encodedBy } from './encoded.ts';
import { readRecorded, toHistory } from './recorded.ts';
import { useRuntime } from '../support/runtime.ts';

const [old, fresh, foreign] = ['2026-10', '2026-11', 'elsewhere'].map(
  (id) => `${id}:${randomBytes(32).toString('base64')}`,
) as [string, string, string];
const codec = (list: string) => createCodec(settings(list));
const WORDS = { conversationId: '01a20f8f-c503-753f-9b68-258ae8229a9a', user: 7 };
const plain: Payload = {
  metadata: { encoding: Buffer.from('json/plain') },
  data: Buffer.from(JSON.stringify(WORDS)),
};

test('what is encrypted shows nothing, is new each time, and comes back whole', async () => {
  const [first, second] = await codec(fresh).encode([plain, plain]);
  for (const sealed of [first, second]) {
    expect(isEncrypted(sealed ?? {})).toBe(true);
    const shown = Buffer.concat([...Object.values(sealed?.metadata ?? {}), sealed?.data ?? Buffer.alloc(0)]).toString();
    expect(shown).toContain('2026-11');
    expect(shown).not.toMatch(/json|01a20f8f|conversation/);
  }
  expect(first?.data).not.toEqual(second?.data);
  expect(await opened(fresh, first)).toEqual(WORDS);
});

test('keys change one after the other: each process reads the new one before any writes it', async () => {
  const lists = ['none,' + old, old, `${old},${fresh}`, `${fresh},${old}`, `none,${fresh},${old}`];
  for (const [nth, list] of lists.entries()) {
    const [written] = await codec(list).encode([plain]);
    // Processes of the step before, of this one and of the next read it: a rolling deploy has two of them at once.
    for (const reader of lists.slice(Math.max(0, nth - 1), nth + 2))
      expect([list, reader, await opened(reader, written)]).toEqual([list, reader, WORDS]);
    expect(isEncrypted(written ?? {})).toBe(!list.startsWith('none'));
  }
});

test('what no key opens, and what somebody has changed, is refused by the name of its key', async () => {
  const [sealed] = await codec(old).encode([plain]);
  await expect(codec(fresh).decode([sealed ?? {}])).rejects.toThrow('no key with the id 2026-10');
  const another = `2026-10:${randomBytes(32).toString('base64')}`;
  await expect(codec(another).decode([sealed ?? {}])).rejects.toThrow('cannot be opened with the key 2026-10');
  for (const at of [0, 20, -1]) {
    const data = Buffer.from(sealed?.data ?? []);
    data.writeUInt8((data.at(at) ?? 0) ^ 1, at < 0 ? data.length + at : at);
    await expect(codec(old).decode([{ ...sealed, data }])).rejects.toThrow('cannot be opened');
  }
  await expect(codec(old).decode([{ ...sealed, data: Buffer.alloc(5) }])).rejects.toThrow('cannot be opened');
});

test('a list that is wrong is refused without showing a key', () => {
  const [, secret = ''] = old.split(':');
  for (const list of [
    'none',
    secret,
    `a:${secret.slice(4)}`,
    `a:${secret},a:${secret}`,
    `none:${secret}`,
    `,${old}`,
    'é:x',
  ])
    expect(() => settings(list)).toThrow(SetupError);
  for (const list of [secret, `a:${secret.slice(4)}`, `a:${secret},a:${secret}`])
    expect(() => settings(list)).not.toThrow(secret.slice(4, 20));
  expect(readConfig({}).temporal.codec).toBeNull();
  expect(readConfig({ TEMPORAL_CODEC_KEYS: `${fresh}, ${old}` }).temporal.codec?.encryptsWith?.id).toBe('2026-11');
});

const recorded = readRecorded();
const errors = new Map<string, Error | undefined>();

beforeAll(async () => {
  useRuntime(createLog({ name: 'replay', level: 'silent' }));
  const histories = recorded.map(async ({ file, history }, nth) => {
    // Encrypted by the key before, or begun before there was any. Half of the time is enough to see each of both.
    const made = nth % 2 === 0 ? encodedBy(codec(old), history) : encodedBy(codec(fresh), history, 6);
    return { workflowId: file, history: toHistory(await made) };
  });
  const gone = encodedBy(codec(foreign), recorded[0]?.history ?? { events: [] });
  const results = Worker.runReplayHistories(
    {
      workflowBundle: await bundleWorkflows({ encodesFailures: true }),
      dataConverter: dataConverterOf(settings(`${fresh},${old}`)),
    },
    [...(await Promise.all(histories)), { workflowId: GONE, history: toHistory(await gone) }],
  );
  for await (const { workflowId, error } of results) errors.set(workflowId, error);
}, 180_000);

const GONE = 'by a key that nobody has';

test('every recorded history replays where the codec is on, encrypted from its start or from its middle', () => {
  const wanted = recorded.map(({ file }) => file);
  expect(wanted.filter((name) => !errors.has(name))).toEqual([]);
  expect(wanted.flatMap((name) => errors.get(name)?.message ?? [])).toEqual([]);
  expect(errors.get(GONE)).toBeInstanceOf(Error);
});

function settings(list: string) {
  const read = readCodec(list);
  if (read === null) throw new Error('a list was given');
  return read;
}

async function opened(list: string, payload: Payload | undefined): Promise<unknown> {
  const [open] = await codec(list).decode([payload ?? {}]);
  return JSON.parse(Buffer.from(open?.data ?? []).toString());
}
