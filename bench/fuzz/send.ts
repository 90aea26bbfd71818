import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { ignoreLateness, within } from '../../platform/deadline.ts';
import type { Case } from './requests.ts';

export interface Answer {
  /** 0: none came. */
  readonly status: number;
  readonly text: string;
  /** From the last byte sent to the first that came, in milliseconds; null: none came. */
  readonly firstByteMs: number | null;
}

const ANSWER_WITHIN_MS = 20_000;
/** How long the answer to what may be no whole request is waited for. */
const PERHAPS_WITHIN_MS = 300;
const BETWEEN_PARTS_MS = 5;
const MOST_READ = 1 << 20;

/** Sends a case over a connection of its own and reads its answer; of a stream, its beginning. */
export async function send({ hostname, port }: URL, { parts, whole }: Case): Promise<Answer> {
  const socket = connect(Number(port), hostname);
  let [text, sentAt, firstByteMs] = ['', performance.now(), null as number | null];
  const over = new Promise<void>((resolve) => {
    socket.once('close', () => resolve());
    socket.setEncoding('latin1').on('data', (piece: string) => {
      firstByteMs ??= performance.now() - sentAt;
      text += piece;
      // A stream would go on for minutes, and what is left of garbage is of no use.
      if (text.length > MOST_READ || /^HTTP\/1\.1 200[^]*content-type: text\/event-stream/i.test(text.slice(0, 2_000)))
        resolve();
    });
  });
  // Whoever sends garbage is cut off, perhaps in the middle of it.
  socket.on('error', () => {});
  for (const part of parts) {
    socket.write(part);
    if (parts.length > 1) await sleep(BETWEEN_PARTS_MS);
  }
  sentAt = performance.now();
  await within(whole ? ANSWER_WITHIN_MS : PERHAPS_WITHIN_MS, over).catch(ignoreLateness);
  socket.destroy();
  const final = text.replace(/^(HTTP\/1\.1 1\d\d[^]*?\r\n\r\n)+/, '');
  return { status: Number(/^HTTP\/1\.1 (\d{3})/.exec(final)?.[1] ?? '0'), text: final, firstByteMs };
}
