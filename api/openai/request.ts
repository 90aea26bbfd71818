import { createHash } from 'node:crypto';
import type { ApiPrompt } from '../../domain/api-prompt.ts';
import { AppError } from '../../domain/errors.ts';
import type { CompletionBody } from '../wire/completion.ts';

/** What is read of a request's body. */
export interface CompletionRequest {
  readonly model: string;
  readonly prompt: ApiPrompt;
  readonly streamed: boolean;
  /** A last chunk with usage was asked for. */
  readonly includesUsage: boolean;
  /** The limit that was asked for; null: the model's default. */
  readonly askedOutput: number | null;
  readonly bodyHash: Buffer;
}

/** What the schema reads. */
const READ = new Set([
  ...['model', 'messages', 'stream', 'stream_options', 'max_completion_tokens', 'max_tokens', 'temperature', 'top_p'],
  ...['stop', 'seed', 'presence_penalty', 'frequency_penalty', 'logit_bias', 'reasoning_effort', 'verbosity'],
  'response_format',
]);

/** What says who asked or where to cache: it changes neither the answer nor its price. */
const IGNORED = new Set([
  'user',
  'safety_identifier',
  'metadata',
  'store',
  'prompt_cache_key',
  'prompt_cache_retention',
]);

/** Values of other parameters that say what is done anyway. */
const HARMLESS: Readonly<Record<string, readonly unknown[]>> = {
  n: [1],
  logprobs: [false],
  service_tier: ['auto', 'default'],
};

/** @throws AppError unsupported_parameter, which names it: a parameter that is dropped silently misleads. */
export function readCompletion(body: CompletionBody): CompletionRequest {
  for (const [name, value] of Object.entries(body))
    if (value != null && !READ.has(name) && !IGNORED.has(name) && HARMLESS[name]?.includes(value) !== true)
      throw new AppError('unsupported_parameter', { field: name, reason: 'is not supported here' });
  const { max_completion_tokens: most, max_tokens: older } = body;
  if (most !== undefined && older !== undefined)
    throw new AppError('invalid_request', { field: 'max_tokens', reason: 'must not come with max_completion_tokens' });
  return {
    model: body.model,
    prompt: { messages: body.messages.map(messageOf), parameters: parametersOf(body) },
    streamed: body.stream ?? false,
    includesUsage: body.stream_options?.include_usage ?? false,
    askedOutput: most ?? older ?? null,
    bodyHash: createHash('sha256').update('v1/chat/completions').update(JSON.stringify(body)).digest(),
  };
}

function messageOf({ role, content, name }: CompletionBody['messages'][number]): ApiPrompt['messages'][number] {
  const text = typeof content === 'string' ? content : content.map((part) => part.text).join('');
  return { role, content: text, ...known({ name }) };
}

function parametersOf(body: CompletionBody): ApiPrompt['parameters'] {
  const { temperature, top_p, stop, seed, presence_penalty, frequency_penalty } = body;
  const { logit_bias, reasoning_effort, verbosity, response_format: format } = body;
  const response_format =
    format?.type === 'json_schema' ? { ...format, json_schema: known(format.json_schema) } : format;
  return known({
    ...{ temperature, top_p, stop, seed, presence_penalty, frequency_penalty },
    ...{ logit_bias, reasoning_effort, verbosity, response_format },
  });
}

type Known<Fields> = { [Name in keyof Fields]?: Exclude<Fields[Name], undefined> };

/** The fields that have a value. */
function known<Fields extends object>(fields: Fields): Known<Fields> & Defined<Fields> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as Known<Fields> &
    Defined<Fields>;
}

/** Those of the fields that always have one. */
type Defined<Fields> = {
  [Name in keyof Fields as undefined extends Fields[Name] ? never : Name]: Fields[Name];
};
