import { z } from 'zod';
import { REASONING_EFFORTS, VERBOSITIES } from '../../domain/api-prompt.ts';
import { MOST_INTEGER } from './fields.ts';

/** Text that PostgreSQL can store. It may be empty, as OpenAI's may. */
const chatText = z
  .string()
  .refine((value) => value.isWellFormed(), 'must be well-formed Unicode (a lone surrogate was found)')
  .refine((value) => !value.includes('\0'), 'must not contain NUL');

/** Clients send null for what they leave out. */
function maybe<Schema extends z.ZodType>(schema: Schema) {
  return schema.nullish().transform((value) => value ?? undefined);
}

const content = z.union([chatText, z.array(z.looseObject({ type: z.literal('text'), text: chatText })).min(1)], {
  error: 'must be a string or an array of text parts',
});
const none = z.array(z.unknown()).max(0, 'is not supported').nullish();

const chatMessage = z.looseObject({
  role: z.enum(['system', 'developer', 'user', 'assistant'], {
    error: 'must be system, developer, user or assistant (tools are not supported)',
  }),
  content,
  name: maybe(z.string().regex(/^[\w-]{1,64}$/, 'must be 1 to 64 letters, digits, _ or -')),
  tool_calls: none,
  function_call: z.null('is not supported').optional(),
  audio: z.null('is not supported').optional(),
});

const maxTokens = maybe(z.int().min(1).max(MOST_INTEGER));

const responseFormat = z.discriminatedUnion('type', [
  z.object({ type: z.literal('text') }),
  z.object({ type: z.literal('json_object') }),
  z.object({
    type: z.literal('json_schema'),
    json_schema: z.object({
      name: z.string().regex(/^[\w-]{1,64}$/, 'must be 1 to 64 letters, digits, _ or -'),
      description: maybe(chatText),
      schema: maybe(z.record(z.string(), z.unknown())),
      strict: z.boolean().nullish(),
    }),
  }),
]);

/** The body of `POST /v1/chat/completions`. What it does not know is looked at by `api/openai/request.ts`. */
export const completionBody = z
  .looseObject({
    model: z.string().min(1).max(100),
    messages: z.array(chatMessage).min(1).max(2_048),
    stream: maybe(z.boolean()),
    stream_options: maybe(z.looseObject({ include_usage: maybe(z.boolean()) })),
    max_completion_tokens: maxTokens,
    max_tokens: maxTokens,
    temperature: maybe(z.number().min(0).max(2)),
    top_p: maybe(z.number().min(0).max(1)),
    stop: maybe(z.union([chatText, z.array(chatText).min(1).max(4)])),
    seed: maybe(z.int()),
    presence_penalty: maybe(z.number().min(-2).max(2)),
    frequency_penalty: maybe(z.number().min(-2).max(2)),
    logit_bias: maybe(z.record(z.string().regex(/^\d{1,7}$/), z.number().min(-100).max(100))),
    reasoning_effort: maybe(z.enum(REASONING_EFFORTS)),
    verbosity: maybe(z.enum(VERBOSITIES)),
    response_format: maybe(responseFormat),
  })
  .meta({ id: 'ChatCompletionRequest' });
export type CompletionBody = z.infer<typeof completionBody>;

const count = z.int().min(0);
export const completionUsage = z
  .object({ prompt_tokens: count, completion_tokens: count, total_tokens: count })
  .meta({ id: 'CompletionUsage', description: 'As the debit metered it, in the model’s tokens' });

export const completion = z
  .object({
    id: z.string(),
    object: z.literal('chat.completion'),
    created: z.int(),
    model: z.string(),
    choices: z.array(
      z.object({
        index: z.literal(0),
        message: z.object({ role: z.literal('assistant'), content: z.string(), refusal: z.null() }),
        logprobs: z.null(),
        finish_reason: z.enum(['stop', 'length']),
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
