import { z } from 'zod';
import { REASONING_EFFORTS, TOOL_CHOICES, VERBOSITIES } from '../../domain/api-prompt.ts';
import { MOST_INTEGER } from './fields.ts';
import { callId, chatText, functionName, jsonSchema, maybe, speakerName, whoAsks } from './openai-fields.ts';

const textPart = z.looseObject({ type: z.literal('text'), text: chatText });
/** Of a kind that the program names when it refuses it. */
const otherPart = z.looseObject({ type: z.string() });

const content = z.union([chatText, z.array(z.union([textPart, otherPart])).min(1)], {
  error: 'must be a string or an array of parts',
});
const none = z.null('is not supported').optional();
const name = maybe(speakerName);

const toolCall = z.looseObject({
  id: callId,
  type: z.literal('function'),
  function: z.looseObject({ name: functionName, arguments: chatText }),
});

const chatMessage = z.discriminatedUnion(
  'role',
  [
    z.looseObject({ role: z.enum(['system', 'developer', 'user']), content, name }),
    z.looseObject({
      role: z.literal('assistant'),
      content: maybe(content),
      name,
      refusal: maybe(chatText),
      tool_calls: maybe(z.array(toolCall).max(256)),
      function_call: none,
      audio: none,
    }),
    z.looseObject({ role: z.literal('tool'), content, tool_call_id: callId }),
  ],
  { error: 'must be system, developer, user, assistant or tool' },
);

const maxTokens = maybe(z.int().min(1).max(MOST_INTEGER));

const responseFormat = z.discriminatedUnion('type', [
  z.object({ type: z.literal('text') }),
  z.object({ type: z.literal('json_object') }),
  z.object({
    type: z.literal('json_schema'),
    json_schema: z.object({
      name: functionName,
      description: maybe(chatText),
      schema: maybe(jsonSchema),
      strict: z.boolean().nullish(),
    }),
  }),
]);

const tool = z.looseObject({
  type: z.literal('function', 'is not supported: only tools of type function are'),
  function: z.looseObject({
    name: functionName,
    description: maybe(chatText),
    parameters: maybe(jsonSchema),
    strict: z.boolean().nullish(),
  }),
});

const toolChoice = z.union(
  [
    z.enum(TOOL_CHOICES),
    z.looseObject({ type: z.literal('function'), function: z.looseObject({ name: functionName }) }),
  ],
  { error: 'must be none, auto, required or {"type": "function", "function": {"name"}}' },
);

/** The body of `POST /v1/chat/completions`. What it does not know is looked at by `api/openai/request.ts`. */
export const completionBody = z
  .looseObject({
    model: z.string().min(1).max(100),
    messages: z
      .array(chatMessage)
      .min(1)
      .max(2_048)
      .meta({ example: [{ role: 'user', content: '안녕하세요' }] }),
    stream: maybe(z.boolean()),
    stream_options: maybe(z.looseObject({ include_usage: maybe(z.boolean()) })),
    max_completion_tokens: maxTokens,
    max_tokens: maxTokens,
    temperature: maybe(z.number().min(0).max(2)),
    top_p: maybe(z.number().min(0).max(1)),
    stop: maybe(z.union([chatText, z.array(chatText).max(4)])),
    seed: maybe(z.int()),
    presence_penalty: maybe(z.number().min(-2).max(2)),
    frequency_penalty: maybe(z.number().min(-2).max(2)),
    logit_bias: maybe(z.record(z.string().regex(/^\d{1,7}$/), z.number().min(-100).max(100))),
    reasoning_effort: maybe(z.enum(REASONING_EFFORTS)),
    verbosity: maybe(z.enum(VERBOSITIES)),
    logprobs: maybe(z.boolean()),
    top_logprobs: maybe(z.int().min(0).max(20)),
    response_format: maybe(responseFormat),
    tools: maybe(z.array(tool).max(128)),
    tool_choice: maybe(toolChoice),
    parallel_tool_calls: maybe(z.boolean()),
    ...whoAsks,
  })
  .meta({ id: 'ChatCompletionRequest' });
export type CompletionBody = z.infer<typeof completionBody>;

const count = z.int().min(0);
export const completionUsage = z
  .object({
    prompt_tokens: count,
    completion_tokens: count,
    total_tokens: count,
    prompt_tokens_details: z.object({ cached_tokens: count }),
    completion_tokens_details: z.object({ reasoning_tokens: count }),
  })
  .meta({ id: 'CompletionUsage', description: 'As the debit metered it, in the model’s tokens' });

const answeredCall = z.object({
  id: z.string(),
  type: z.literal('function'),
  function: z.object({ name: z.string(), arguments: z.string() }),
});

/** As the provider told them. */
const logprobs = z.object({ content: z.array(z.unknown()).nullable(), refusal: z.array(z.unknown()).nullable() });

export const completion = z
  .object({
    id: z.string(),
    object: z.literal('chat.completion'),
    created: z.int(),
    model: z.string(),
    choices: z.array(
      z.object({
        index: z.literal(0),
        message: z.object({
          role: z.literal('assistant'),
          content: z.string().nullable(),
          refusal: z.string().nullable(),
          tool_calls: z.array(answeredCall).optional(),
        }),
        logprobs: logprobs.nullable(),
        finish_reason: z.string().meta({ description: 'The provider’s word: stop, length, tool_calls, …' }),
      }),
    ),
    usage: completionUsage,
  })
  .meta({ id: 'ChatCompletion' });

export const openaiModel = z
  .object({ id: z.string(), object: z.literal('model'), created: z.int(), owned_by: z.string() })
  .meta({ id: 'OpenAiModel' });
export const openaiModels = z.object({ object: z.literal('list'), data: z.array(openaiModel) });

export const openaiError = z
  .object({
    error: z.looseObject({
      message: z.string(),
      type: z.string(),
      param: z.string().nullable(),
      code: z.string().nullable(),
      turnkeeper: z.looseObject({ code: z.string(), requestId: z.string() }),
    }),
  })
  .meta({ id: 'OpenAiError' });
