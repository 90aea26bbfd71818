import { createHash } from 'node:crypto';
import type { ApiMessage, ApiParameters } from '../../../domain/api-prompt.ts';
import { functionTool, responseBody, type ResponseBody } from '../../wire/responses.ts';
import { labelOf } from '../../wire/openai-fields.ts';
import { known } from '../known.ts';
import type { OpenAiRequest } from '../protocol.ts';
import { assertSupported, parseAt, unsupported } from '../refusals.ts';
import { readFormat, readTools, type AskedTool } from '../tools.ts';
import { responsesProtocol } from './protocol.ts';

/**
 * What says where to cache, and `max_tool_calls`, which bounds tools that the service would call itself:
 * there are none.
 */
const ignored = new Set([...['prompt_cache_key', 'prompt_cache_retention', 'prompt_cache_options', 'max_tool_calls']]);

/** Values of other parameters, as JSON, that say what is done anyway. */
const harmless = new Map<string, readonly string[]>([
  ['background', ['false']],
  ['service_tier', ['"auto"', '"default"']],
  ['truncation', ['"disabled"']],
]);

const INCLUDED = new Set(['message.output_text.logprobs', 'reasoning.encrypted_content']);

/** What to do instead. */
const instead = new Map([
  ['previous_response_id', 'is not supported: answers are not kept. Send the earlier items in input'],
  ['conversation', 'is not supported: conversations are not kept. Send the earlier items in input'],
  ['background', 'is not supported: ask with stream: true, and the answer comes as it is made'],
  ['prompt', 'is not supported: send instructions and input themselves'],
  ['truncation', 'is not supported: nothing is cut. Send what fits the model'],
]);

/**
 * @param messages of the input (`readInput`).
 * @throws AppError unsupported_parameter, which names it and says what to do.
 */
export function readResponse(body: ResponseBody, messages: readonly ApiMessage[]): OpenAiRequest {
  assertSupported(body, responseBody.shape, { ignored, harmless, instead });
  assertOffered(body);
  const { instructions } = body;
  return {
    model: body.model,
    prompt: {
      messages: [
        ...(instructions === undefined ? [] : [{ role: 'system' as const, content: instructions }]),
        ...messages,
      ],
      parameters: parametersOf(body),
    },
    streamed: body.stream ?? false,
    askedOutput: body.max_output_tokens ?? null,
    label: labelOf(body),
    bodyHash: createHash('sha256').update('v1/responses').update(JSON.stringify(body)).digest(),
    protocol: responsesProtocol(body),
  };
}

/** What is read is not all offered. */
function assertOffered(body: ResponseBody): void {
  // Clients leave it out by default, and OpenAI then keeps the answer: what is kept here is kept for an hour alone.
  if (body.store === true)
    throw unsupported(
      'store',
      'answers are not kept here: leave it out or send false, and send earlier items in input',
    );
  for (const [i, name] of (body.include ?? []).entries())
    if (!INCLUDED.has(name)) throw unsupported(`include.${i}`, `${name} is not offered here`);
  const summary = body.reasoning?.summary;
  if (summary !== undefined && summary !== 'auto')
    throw unsupported('reasoning.summary', 'thoughts are not told here: leave it out');
}

function parametersOf(body: ResponseBody): ApiParameters {
  const { temperature, top_p, top_logprobs, text, include = [] } = body;
  const wantsLogprobs = top_logprobs !== undefined || include.includes('message.output_text.logprobs');
  const choice = body.tool_choice;
  return known({
    ...{ temperature, top_p, top_logprobs, verbosity: text?.verbosity, reasoning_effort: body.reasoning?.effort },
    logprobs: wantsLogprobs ? true : undefined,
    response_format: text?.format === undefined ? undefined : readFormat(text.format),
    ...readTools({
      tools: (body.tools ?? []).map(toolOf),
      choice: typeof choice === 'object' ? { name: choice.name } : choice,
      parallel: body.parallel_tool_calls,
      nameOf: (i) => `tools.${i}.name`,
    }),
  });
}

function toolOf(tool: NonNullable<ResponseBody['tools']>[number], i: number): AskedTool {
  if (tool.type !== 'function')
    throw unsupported(
      `tools.${i}.type`,
      `${tool.type} is not offered here. Offer a tool of type function and run it yourself`,
    );
  return parseAt(functionTool, tool, `tools.${i}`);
}
