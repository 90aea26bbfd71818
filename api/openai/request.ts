import { createHash } from 'node:crypto';
import type { ApiParameters } from '../../domain/api-prompt.ts';
import { completionBody, type CompletionBody } from '../wire/completion.ts';
import { labelOf } from '../wire/openai-fields.ts';
import { chatCompletions } from './chat-completions.ts';
import { known } from './known.ts';
import { readMessages } from './prompt/messages.ts';
import type { OpenAiRequest } from './protocol.ts';
import { assertSupported, invalid } from './refusals.ts';
import { readFormat, readTools } from './tools.ts';

/** What says where to keep or to cache: it changes neither the answer nor its price. */
const ignored = new Set(['metadata', 'store', 'prompt_cache_key', 'prompt_cache_retention', 'prompt_cache_options']);

/** Values of other parameters, as JSON, that say what is done anyway. */
const harmless = new Map<string, readonly string[]>([
  ['n', ['1']],
  ['service_tier', ['"auto"', '"default"']],
  ['modalities', ['["text"]']],
]);

/** @throws AppError unsupported_parameter, invalid_request. */
export function readCompletion(body: CompletionBody): OpenAiRequest {
  assertSupported(body, completionBody.shape, { ignored, harmless });
  const { max_completion_tokens: most, max_tokens: older } = body;
  if (most !== undefined && older !== undefined)
    throw invalid('max_tokens', 'must not come with max_completion_tokens');
  return {
    model: body.model,
    prompt: { messages: readMessages(body.messages), parameters: parametersOf(body) },
    streamed: body.stream ?? false,
    askedOutput: most ?? older ?? null,
    label: labelOf(body),
    bodyHash: createHash('sha256').update('v1/chat/completions').update(JSON.stringify(body)).digest(),
    protocol: chatCompletions({ includesUsage: body.stream_options?.include_usage ?? false }),
  };
}

function parametersOf(body: CompletionBody): ApiParameters {
  const { temperature, top_p, stop, seed, presence_penalty, frequency_penalty } = body;
  const { logit_bias, reasoning_effort, verbosity, logprobs, top_logprobs, response_format: format } = body;
  const { tools, tool_choice: choice, parallel_tool_calls: parallel } = body;
  if (top_logprobs !== undefined && top_logprobs > 0 && logprobs !== true)
    throw invalid('top_logprobs', 'must come with logprobs: true');
  return known({
    ...{ temperature, top_p, seed, presence_penalty, frequency_penalty },
    stop: stop?.length === 0 ? undefined : stop,
    ...{ logit_bias, reasoning_effort, verbosity, logprobs },
    top_logprobs: logprobs === true ? top_logprobs : undefined,
    response_format:
      format === undefined
        ? undefined
        : readFormat(format.type === 'json_schema' ? { type: format.type, ...format.json_schema } : format),
    ...readTools({
      tools: (tools ?? []).map((tool) => tool.function),
      choice: typeof choice === 'object' ? choice.function : choice,
      parallel,
      nameOf: (i) => `tools.${i}.function.name`,
    }),
  });
}
