import { Agent, request as httpRequest, type IncomingMessage } from 'node:http';
import type { Contender, Person } from './contenders.ts';
import { markOf, type Answer } from './question.ts';

/**
 * A question with a correct answer. Instants are milliseconds of the machine's monotonic clock, which is the same in
 * every process.
 */
export interface Answered {
  readonly question: string;
  readonly sentAt: number;
  readonly firstDeltaAt: number;
  readonly doneAt: number;
}

/** The service had no room. This counts as an answer only in benches that ask for too much. */
export interface Shed {
  readonly shed: true;
  readonly sentAt: number;
  readonly doneAt: number;
}

const agent = new Agent({ keepAlive: true, maxSockets: Infinity, maxFreeSockets: 1_024 });
const ANSWER_WITHIN_MS = 60_000;

export function now(): number {
  const [seconds, nanoseconds] = process.hrtime();
  return seconds * 1_000 + nanoseconds / 1e6;
}

let asked = 0;

/**
 * @throws when the answer is not exactly the expected text, or not charged as expected: a failure must not count as
 *   fast.
 */
export async function ask(contender: Contender, person: Person, answer: Answer): Promise<Answered> {
  const outcome = await askOrShed(contender, person, answer);
  if ('shed' in outcome) throw new Error(`${contender.name} had no room for a question`);
  return outcome;
}

/**
 * @param onText gets the UTF-16 units of each text that comes; negative when text is dropped because it comes again.
 */
export async function askOrShed(
  contender: Contender,
  person: Person,
  answer: Answer,
  onText: (units: number) => void = () => {},
): Promise<Answered | Shed> {
  asked += 1;
  const question = `question ${asked} ${markOf(answer)}`;
  const { url, headers, body } = contender.request(question, person, answer.chunks);
  const payload = JSON.stringify(body);
  const sentAt = now();
  const response = await send(url, payload, {
    ...headers,
    'content-type': 'application/json',
    'content-length': String(Buffer.byteLength(payload)),
  });
  const { statusCode = 0 } = response;
  if (statusCode !== 200) {
    const text = await readAll(response);
    if (contender.isShed(statusCode)) return { shed: true, sentAt, doneAt: now() };
    throw new Error(`${contender.name} answered ${statusCode}: ${text.slice(0, 300)}`);
  }
  const read = await readStream(response, contender, answer, onText);
  return { question, sentAt, ...read };
}

function send(url: string, payload: string, headers: Record<string, string>): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const sending = httpRequest(url, { method: 'POST', agent, headers, timeout: ANSWER_WITHIN_MS }, resolve);
    sending.once('error', reject);
    sending.once('timeout', () => sending.destroy(new Error('no answer within a minute')));
    sending.end(payload);
  });
}

/** Events are separated by blank lines; each has `event:` and `data:` lines, and `data` holds JSON. */
function readStream(
  response: IncomingMessage,
  contender: Contender,
  answer: Answer,
  onText: (units: number) => void,
): Promise<{ firstDeltaAt: number; doneAt: number }> {
  return new Promise((resolve, reject) => {
    let rest = '';
    let text = '';
    let firstDeltaAt: number | null = null;
    let done: { at: number; tokens: number | null } | null = null;
    response.setEncoding('utf8');
    response.on('data', (part: string) => {
      const events = (rest + part).split('\n\n');
      rest = events.pop() ?? '';
      try {
        for (const event of events) {
          const news = contender.read(event);
          if (news.restart === true) {
            onText(-text.length);
            text = '';
          }
          if (news.text !== undefined && news.text !== '') {
            firstDeltaAt ??= now();
            text += news.text;
            onText(news.text.length);
          }
          if (news.end !== undefined) done = { at: now(), tokens: news.end.tokens };
        }
      } catch (error) {
        reject(error instanceof Error ? error : new Error(String(error)));
        response.destroy();
      }
    });
    response.once('error', reject);
    response.once('end', () => {
      const expected = answer.text.repeat(answer.chunks);
      if (firstDeltaAt === null || done === null)
        reject(new Error(`${contender.name}: the stream ended without its end`));
      else if (text !== expected)
        reject(new Error(`${contender.name}: another answer: ${text.length} of ${expected.length} characters`));
      else if (done.tokens !== null && done.tokens < answer.chunks)
        reject(new Error(`${contender.name}: charged ${done.tokens} tokens for ${answer.chunks} chunks`));
      else resolve({ firstDeltaAt, doneAt: done.at });
    });
  });
}

async function readAll(response: IncomingMessage): Promise<string> {
  response.setEncoding('utf8');
  let text = '';
  for await (const part of response) text += String(part);
  return text;
}

export function closeConnections(): void {
  agent.destroy();
}
