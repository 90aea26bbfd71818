import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { z } from 'zod';
import { SetupError } from '../../domain/setup-error.ts';
import { plainEnvironment } from '../../scripts/services/environment.ts';
import { say } from '../../scripts/services/say.ts';
import { mark } from '../../test/fake-model/scenario.ts';
import { openFuzzStage, type FuzzStage } from '../fuzz/stage.ts';
import { runBench } from '../program.ts';
import { installPython } from '../python.ts';
import { openCountingDoor, type CountingDoor } from './counting-door.ts';
import { openEar, verifyHooks } from './hooks.ts';

const HELP = `npm run test:clients

Runs openai-python, LangChain for Python and the litellm SDK, unmodified, against the running program on services of its own: an answer whole and
streamed, JSON, a stream that is left, 402 (told in our sentence, asked once) and 503 (asked again). Then the Python standardwebhooks judges the
program's webhooks, before and after their secret is replaced. Each case is a line; the exit code is 1 when one
differs, and when the clients cannot be installed: they need python3 (3.10 or newer) with venv, and a registry of Python packages.
They stay below .turnkeeper/.`;

const MODEL = 'gpt-4.1-mini';
const line = z.object({ client: z.string(), case: z.string(), seen: z.looseObject({}) });
type Line = z.infer<typeof line>;

/** What a case must show, and how often it may ask. */
const ANSWERED = z.looseObject({ text: z.string().min(1), total: z.int().min(1) });
const CASES: Readonly<Record<string, { readonly shows: z.ZodType; readonly requests: number }>> = {
  plain: { shows: ANSWERED, requests: 1 },
  stream: { shows: ANSWERED, requests: 1 },
  json: { shows: z.looseObject({ json: z.object({ ok: z.literal(true) }) }), requests: 1 },
  abort: { shows: z.looseObject({ failed: z.never().optional() }), requests: 1 },
  capped: { shows: z.looseObject({ status: z.literal(402), told: z.literal(true) }), requests: 1 },
  busy: { shows: ANSWERED, requests: 2 },
};
const CLIENTS = 3;

async function main(stopping: AbortSignal): Promise<void> {
  const { values } = parseArgs({ options: { help: { type: 'boolean' } } });
  if (values.help === true) return void process.stdout.write(`${HELP}\n`);
  const programs = await installPython('the clients', join(import.meta.dirname, 'requirements.txt'), stopping);
  const ear = await openEar();
  const stage = await openFuzzStage(stopping, { WEBHOOK_ALLOW_HOSTS: ear.host });
  const door = await openCountingDoor(stage.url, { isBusy: (name) => name.endsWith('-busy') });
  try {
    let wrong = judge(await run(join(programs, 'python'), stage, { door, stopping }), door);
    const stopped = await untilStopped(stage);
    process.stdout.write(
      `${stopped === CLIENTS ? 'as it should be' : 'DIFFERS'}  streams that were left stopped their turns: ${stopped}\n`,
    );
    if (stopped !== CLIENTS) wrong += 1;
    wrong += await verifyHooks(join(programs, 'python'), { url: stage.url, admin: stage.keys[0] ?? '', ear });
    for (const complaint of stage.complaints) say(`the log: ${complaint}`);
    if (wrong > 0 || stage.complaints.length > 0) throw new SetupError(`${wrong} cases differ`);
  } finally {
    door.close();
    await stage.close();
    ear.close();
  }
}

async function run(
  python: string,
  { url, keys: [, user = ''] }: FuzzStage,
  { door, stopping }: { door: CountingDoor; stopping: AbortSignal },
): Promise<Line[]> {
  const setup = {
    base: door.url,
    model: MODEL,
    key: await makeKey(url, user, {}),
    capped: await makeKey(url, user, { capTokens: 1 }),
    questions: {
      json: `Say ok as JSON ${mark({ chunks: ['{"ok":', 'true}'] })}`,
      long: `Count ${mark({ chunks: { count: 200, text: ' one' }, delayMs: 50 })}`,
    },
  };
  const child = spawn(python, [join(import.meta.dirname, 'clients.py'), JSON.stringify(setup)], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...plainEnvironment(), LITELLM_LOCAL_MODEL_COST_MAP: 'True', PYTHONWARNINGS: 'ignore' },
    signal: stopping,
  });
  const closed = once(child, 'close');
  // It is awaited below, after what it says.
  closed.catch(() => {});
  const lines: Line[] = [];
  for await (const text of createInterface(child.stdout)) {
    if (text.startsWith('{"client"')) lines.push(line.parse(JSON.parse(text)));
  }
  await closed;
  return lines;
}

async function makeKey(url: string, token: string, settings: object): Promise<string> {
  const made = await fetch(`${url}/api/keys`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify({ name: 'clients', scopes: ['v1'], ...settings }),
  });
  return z.object({ secret: z.string() }).parse(await made.json()).secret;
}

/** Leaving a stream of this door stops its turn. @returns how many were stopped, 10 s later at the latest. */
async function untilStopped({ url, keys: [admin = ''] }: FuzzStage): Promise<number> {
  const list = z.object({ items: z.array(z.unknown()) });
  for (let looks = 0; ; looks += 1) {
    const answer = await fetch(`${url}/api/admin/turns?state=stopped`, {
      headers: { authorization: `Bearer ${admin}` },
    });
    const { items } = list.parse(await answer.json());
    if (items.length >= CLIENTS || looks === 20) return items.length;
    await sleep(500);
  }
}

/** @returns how many cases differ, those that never came among them. */
function judge(lines: readonly Line[], door: CountingDoor): number {
  let right = 0;
  for (const { client, case: name, seen } of lines) {
    const wanted = CASES[name];
    const requests = door.count(`${client}-${name}`);
    const isRight = wanted !== undefined && wanted.shows.safeParse(seen).success && requests === wanted.requests;
    if (isRight) right += 1;
    const was = `${JSON.stringify(seen)}, requests: ${requests}`;
    process.stdout.write(`${isRight ? 'as it should be' : 'DIFFERS'}  ${client.padEnd(10)} ${name.padEnd(7)} ${was}\n`);
  }
  return Object.keys(CASES).length * CLIENTS - right;
}

await runBench(main);
