import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createContext, runInContext } from 'node:vm';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { Worker } from '@temporalio/worker';
import { DeterminismViolationError } from '@temporalio/workflow';
import { createLog } from '../../platform/telemetry/log.ts';
import { bundleWorkflows } from '../../worker/bundle.ts';
import { useRuntime } from '../support/runtime.ts';
import { ALL_SCENARIOS, decode, readRecorded, toHistory, type RecordedHistory } from './recorded.ts';
import { TEXTS } from './scenarios.ts';
import { TAMPERS } from './tamper.ts';

const recorded = readRecorded();
const tampered = recorded.flatMap(({ file, history }) =>
  Object.entries(TAMPERS).flatMap(([how, tamper]) => {
    const changed = tamper(history);
    return changed === null ? [] : [{ file, how, history: changed }];
  }),
);
const errors = new Map<string, Error | undefined>();

/** All histories are replayed on one worker, because its core and its bundle take most of the time. */
beforeAll(async () => {
  useRuntime(createLog({ name: 'replay', level: 'silent' }));
  const all = [
    ...recorded.map(({ file, history }) => ({ workflowId: file, history })),
    ...tampered.map(({ file, how, history }) => ({ workflowId: `${file}: ${how}`, history })),
  ];
  const results = Worker.runReplayHistories(
    { workflowBundle: await bundleWorkflows({ stacks: false }) },
    all.map(({ workflowId, history }) => ({ workflowId, history: toHistory(history) })),
  );
  for await (const { workflowId, error } of results) errors.set(workflowId, error);
}, 180_000);

describe('the workflow code of today', () => {
  test.each(recorded.map(({ file }) => file))('goes through %s again', (file) => {
    expect(errors.has(file)).toBe(true);
    expect(errors.get(file)).toBeUndefined();
  });

  test.each(tampered.map(({ file, how }) => [file, how]))('does not go through %s with %s', (file, how) => {
    expect(errors.get(`${file}: ${how}`)).toBeInstanceOf(DeterminismViolationError);
  });
});

test('what runs takes no stack of its promises, and what is looked at (LOG_LEVEL=debug, history replay) says where it threw', async () => {
  const thrown = async (stacks: boolean) => {
    const context = createContext({ __webpack_module_cache__: {} });
    runInContext((await bundleWorkflows({ stacks })).code, context);
    return runInContext('(() => new Error("here").stack)()', context) as string;
  };
  expect((await thrown(false)).trim()).toBe('Error: here');
  expect(await thrown(true)).toMatch(/^Error: here\n {4}at /);
});

test('what runs is held in one byte a character and without a source map, and what is looked at has one', async () => {
  const map = async (stacks: boolean) => {
    const { code } = await bundleWorkflows({ stacks });
    const [, encoded = ''] = code.split(/sourceMappingURL=data:application\/json;[^,]*,/);
    return {
      wide: /[^\x00-\xff]/.test(code),
      sources: JSON.parse(Buffer.from(encoded, 'base64').toString()).sources.length,
    };
  };
  expect(await map(false)).toEqual({ wide: false, sources: 0 });
  expect((await map(true)).sources).toBeGreaterThan(50);
});

test('runs of a thread share the code, and no variable of its modules', () => {
  const variables = (code: string) => code.match(/^(export )?(let|var) .*$/gm) ?? [];
  expect(variables('export let turns = 0;\nlet last;\n{ let inside; }')).toHaveLength(2);
  const root = join(import.meta.dirname, '..', '..');
  for (const room of ['workflows', 'domain'])
    for (const file of readdirSync(join(root, room), { recursive: true, encoding: 'utf8' }))
      if (file.endsWith('.ts'))
        expect([file, ...variables(readFileSync(join(root, room, file), 'utf8'))]).toEqual([file]);
});

describe('what is recorded', () => {
  test('is every ending of every workflow type (else: npm run record -- <name>)', () => {
    const names = new Set(recorded.map(({ scenario }) => scenario));
    expect([...ALL_SCENARIOS.keys()].filter((name) => !names.has(name))).toEqual([]);
    expect([...names].filter((name) => !ALL_SCENARIOS.has(name))).toEqual([]);
  });

  test.each(recorded.map(({ file, history }) => [file, history] as const))(
    'in %s is small, holds ids and codes only, and can be told from what wrong code writes',
    (file, history) => {
      expect(JSON.stringify(history).length).toBeLessThan(20_000);
      expect(textsIn(history)).toEqual([]);
      expect(tampered.filter((other) => other.file === file).length).toBeGreaterThanOrEqual(2);
    },
  );

  test('would be seen to hold a question, an answer, a token or a path', () => {
    const encoded = (text: string) => ({
      payloads: [{ metadata: {}, data: Buffer.from(JSON.stringify({ text })).toString('base64') }],
    });
    for (const text of [
      TEXTS.question,
      ...TEXTS.answer.slice(0, 1),
      'tk_abc',
      '/home/somebody/turnkeeper/activities/generate.ts',
    ]) {
      for (const planted of [{ failure: { message: text } }, { input: encoded(text) }]) {
        expect(
          textsIn({ events: [{ eventId: '1', eventType: 'EVENT_TYPE_X', xEventAttributes: planted }] }),
        ).toHaveLength(1);
      }
    }
  });
});

/**
 * What no history may contain, in the clear or in a payload: Korean (the language of the scenarios), tokens, and paths
 * of a machine.
 */
function textsIn(history: RecordedHistory): string[] {
  const found: string[] = [];
  const look = (value: unknown): void => {
    if (typeof value === 'string' && /\p{Script=Hangul}|tk_|\/[\w.-]+\/[\w.-]+\//u.test(value)) found.push(value);
    if (typeof value !== 'object' || value === null) return;
    if ('data' in value && typeof value.data === 'string') look(decode({ data: value.data }));
    else for (const part of Object.values(value)) look(part);
  };
  look(history.events);
  return found;
}
