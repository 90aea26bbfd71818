import type { Logprobs, TokenLogprob } from '../../domain/choice.ts';
import { readFault, type Fault } from './fault.ts';
import { readFinish } from './finish.ts';
import { isRecord } from './json.ts';
import { readUsage, type ReadUsage } from './usage.ts';

/** What one event of a stream, or a whole answer, says. */
export interface Piece {
  /** The next text of the answer. */
  readonly text: string;
  /** The next text of a refusal, which is an answer of its own kind. */
  readonly refusal: string;
  /** The next text of the model's thoughts, which is not the answer. */
  readonly thought: string;
  /** The whole text of the answer so far: some providers repeat it in their last chunk, or send nothing else. */
  readonly whole: string;
  readonly wholeRefusal: string;
  /** The finish word as it came. */
  readonly finish: string | null;
  readonly usage: ReadUsage | null;
  /** A tool is called. */
  readonly isCall: boolean;
  /** The next parts of calls. */
  readonly calls: readonly CallPart[];
  /** The calls of a whole message. */
  readonly wholeCalls: readonly CallPart[];
  readonly logprobs: Logprobs | null;
}

/** A part of a call, as far as the provider says which call it belongs to. */
export interface CallPart {
  readonly index: number | null;
  readonly id: string | null;
  readonly name: string;
  readonly arguments: string;
}

export type Said =
  { readonly kind: 'piece'; readonly piece: Piece } | { readonly kind: 'fault'; readonly fault: Fault };

/**
 * Reads what any known provider says in a chunk (docs/providers.md). Pure: what is known of their dialects stands here
 * and in the tables that it calls, and nowhere else.
 */
export function readChunk(value: unknown): Said | null {
  const choice = isRecord(value) ? choiceOf(value['choices']) : NOTHING;
  const fault = readFault(value) ?? readFault({ error: choice['error'] });
  if (fault !== null) return { kind: 'fault', fault };
  if (!isRecord(value)) return null;
  const delta = recordOf(choice['delta']);
  const message = recordOf(choice['message']);
  return {
    kind: 'piece',
    piece: {
      text: textOf(delta['content']) + (delta === NOTHING ? textOf(choice['text']) : ''),
      refusal: textOf(delta['refusal']),
      thought: thoughtOf(delta) || thoughtOf(message),
      whole: textOf(message['content']),
      wholeRefusal: textOf(message['refusal']),
      finish: readFinish(choice['finish_reason']) ?? readFinish(choice['native_finish_reason']),
      usage: readUsage(value['usage']) ?? readUsage(choice['usage']) ?? readUsage(recordOf(value['x_groq'])['usage']),
      isCall: [delta, message].some((part) => part['function_call'] != null || isFilled(part['tool_calls'])),
      calls: callsOf(delta['tool_calls']),
      wholeCalls: callsOf(message['tool_calls']),
      logprobs: logprobsOf(choice['logprobs']),
    },
  };
}

const NOTHING: Readonly<Record<string, unknown>> = {};

/** We ask for one answer. Another one that comes beside it is not ours. */
function choiceOf(choices: unknown): Readonly<Record<string, unknown>> {
  if (!Array.isArray(choices)) return NOTHING;
  return choices.filter(isRecord).find(({ index }) => index == null || Number(index) === 0) ?? NOTHING;
}

function recordOf(value: unknown): Readonly<Record<string, unknown>> {
  return isRecord(value) ? value : NOTHING;
}

function callsOf(calls: unknown): CallPart[] {
  if (!Array.isArray(calls)) return [];
  return calls.filter(isRecord).map((call) => {
    const { name, arguments: given } = recordOf(call['function']);
    const { id, index } = call;
    return {
      index: typeof index === 'number' ? index : null,
      id: typeof id === 'string' && id !== '' ? plain(id) : null,
      name: typeof name === 'string' ? plain(name) : '',
      // Ollama and some gateways send the arguments as an object.
      arguments: typeof given === 'string' ? plain(given) : isRecord(given) ? JSON.stringify(given) : '',
    };
  });
}

/** PostgreSQL's text cannot hold NUL. */
function plain(text: string): string {
  return text.replaceAll('\0', '\uFFFD');
}

function logprobsOf(value: unknown): Logprobs | null {
  if (!isRecord(value)) return null;
  const [content, refusal] = [tokensOf(value['content']), tokensOf(value['refusal'])];
  if (content.length === 0 && refusal.length === 0) return null;
  return { ...(content.length === 0 ? {} : { content }), ...(refusal.length === 0 ? {} : { refusal }) };
}

function tokensOf(tokens: unknown): TokenLogprob[] {
  if (!Array.isArray(tokens)) return [];
  return tokens.filter(isRecord).map((token) => {
    const top = token['top_logprobs'];
    return { ...tokenOf(token), top_logprobs: Array.isArray(top) ? top.filter(isRecord).map(tokenOf) : [] };
  });
}

function tokenOf({ token, logprob, bytes }: Readonly<Record<string, unknown>>): Omit<TokenLogprob, 'top_logprobs'> {
  return {
    // Half a character is told by its bytes; as text it could not be stored.
    token: typeof token === 'string' ? plain(token.toWellFormed()) : '',
    logprob: typeof logprob === 'number' ? logprob : 0,
    bytes: Array.isArray(bytes) ? bytes.filter((byte) => typeof byte === 'number') : null,
  };
}

function isFilled(value: unknown): boolean {
  return Array.isArray(value) && value.length > 0;
}

/** Text, or a list of parts with text. A part that is a thought is none of the answer. */
function textOf(content: unknown): string {
  if (typeof content === 'string') return content;
  if (Array.isArray(content)) return content.map(textOf).join('');
  if (!isRecord(content) || isThought(content)) return '';
  return textOf(content['text'] ?? content['refusal'] ?? content['value'] ?? '');
}

/** Most providers use one of these fields; those that use two say the same in both. */
function thoughtOf(part: Readonly<Record<string, unknown>>): string {
  for (const name of ['reasoning_content', 'reasoning', 'thinking'] as const) {
    const thought = textOf(part[name]);
    if (thought !== '') return thought;
  }
  const { content } = part;
  if (!Array.isArray(content)) return '';
  return content
    .filter(isRecord)
    .filter(isThought)
    .map((thought) => textOf(thought['thinking'] ?? thought['reasoning'] ?? thought['text']))
    .join('');
}

function isThought({ type }: Readonly<Record<string, unknown>>): boolean {
  return type === 'thinking' || type === 'reasoning' || type === 'redacted_thinking';
}
