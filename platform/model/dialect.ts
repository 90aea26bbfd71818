import { readFault, type Fault } from './fault.ts';
import { readFinish } from './finish.ts';
import { isRecord } from './json.ts';
import { readUsage, type ReadUsage } from './usage.ts';

/** What one event of a stream, or a whole answer, says. */
export interface Piece {
  /** The next text of the answer. */
  readonly text: string;
  /** The next text of the model's thoughts, which is not the answer. */
  readonly thought: string;
  /** The whole text of the answer so far: some providers repeat it in their last chunk, or send nothing else. */
  readonly whole: string;
  /** The finish word as it came. */
  readonly finish: string | null;
  readonly usage: ReadUsage | null;
  /** A tool is called, which nobody offered. */
  readonly isCall: boolean;
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
      text: textOf(delta['content']) + textOf(delta['refusal']) + (delta === NOTHING ? textOf(choice['text']) : ''),
      thought: thoughtOf(delta) || thoughtOf(message),
      whole: textOf(message['content']) + textOf(message['refusal']),
      finish: readFinish(choice['finish_reason']) ?? readFinish(choice['native_finish_reason']),
      usage: readUsage(value['usage']) ?? readUsage(choice['usage']) ?? readUsage(recordOf(value['x_groq'])['usage']),
      isCall: [delta, message].some((part) => part['function_call'] != null || isFilled(part['tool_calls'])),
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
