import { Dice } from './dice.ts';
import { judge } from './judge.ts';
import { makeCase, type ApiDocument, type Case } from './requests.ts';
import { send } from './send.ts';

export interface FuzzOptions {
  readonly url: string;
  /** Bearer tokens, the first one of an admin. */
  readonly keys: readonly string[];
  readonly seed: number;
  /** The number of the first case; the next one has the next. */
  readonly first: number;
  readonly atOnce: number;
  /** Whether another case is to be sent. */
  readonly goOn: (sent: number) => boolean;
  /** A first byte that comes later is a fault. */
  readonly slowMs: number;
  readonly onFault?: (fault: Fault) => void;
}

export interface Fault {
  readonly number: number;
  readonly what: string;
  /** What was sent, without the keys, and the beginning of the answer. */
  readonly request: string;
  readonly answer: string;
}

export interface FuzzFigures {
  readonly sent: number;
  readonly byStatus: Readonly<Record<string, number>>;
  readonly slowestMs: number;
  readonly faults: readonly Fault[];
}

const MOST_SEEN = 200;
const SEEN = /[0-9a-f]{8}-[0-9a-f-]{27}|"(?:entryId|userId|id)":\d+|"(?:nextCursor|packId)":"[^"]+"/g;

/**
 * Sends cases to a running service until `goOn` says no. A case is made of the seed and its number, and of ids that
 * answers have shown, which a run repeats only nearly.
 */
export async function fuzz(options: FuzzOptions): Promise<FuzzFigures> {
  const { url, keys, seed, slowMs } = options;
  const document = (await (await fetch(`${url}/api/openapi.json`)).json()) as ApiDocument;
  const codes = new Set((document.components.schemas['ErrorCode']?.enum ?? []).map(String));
  const target = new URL(url);
  const faults: Fault[] = [];
  const byStatus: Record<string, number> = {};
  const seen: string[] = [];
  let [sent, slowestMs] = [0, 0];

  async function sendNext(): Promise<void> {
    const number = options.first + sent;
    sent += 1;
    const next = makeCase(document, keys, new Dice(seed, number), seen);
    const answer = await send(target, next);
    byStatus[answer.status] = (byStatus[answer.status] ?? 0) + 1;
    slowestMs = Math.max(slowestMs, answer.firstByteMs ?? 0);
    for (const [id] of answer.text.slice(0, 20_000).matchAll(SEEN)) keep(id.replace(/^"\w+":/, '').replaceAll('"', ''));
    const what = judge(next, answer, { codes, slowMs });
    if (what === null) return;
    const fault = { number, what, request: shown(next, keys), answer: answer.text.slice(0, 600) };
    faults.push(fault);
    options.onFault?.(fault);
  }

  function keep(id: string): void {
    if (seen.includes(id)) return;
    seen.push(id);
    if (seen.length > MOST_SEEN) seen.shift();
  }

  await Promise.all(
    Array.from({ length: options.atOnce }, async () => {
      while (options.goOn(sent)) await sendNext();
    }),
  );
  return { sent, byStatus, slowestMs: Math.round(slowestMs), faults };
}

/** The bytes as text that a terminal takes; what is sent in several pieces has a bar between them. */
function shown({ parts }: Case, keys: readonly string[]): string {
  const text = JSON.stringify(parts.map((part) => part.toString('latin1')).join('|')).slice(1, 4_000);
  const short = text.replaceAll(/(.{1,2})\1{30,}/g, (run, part: string) => `${part}<× ${run.length / part.length}>`);
  return keys.reduce((shorter, key, i) => shorter.replaceAll(key, i === 0 ? '<admin>' : '<user>'), short);
}
