import { z } from 'zod';
import { REASONING_EFFORTS, TOOL_CHOICES, VERBOSITIES } from '../../domain/api-prompt.ts';
import { MOST_INTEGER } from './fields.ts';
import { callId, chatText, functionName, jsonSchema, maybe, whoAsks } from './openai-fields.ts';

const kind = <Word extends string>(word: Word) => z.literal(word);
/** Of a kind that the program names when it refuses it. */
const other = z.looseObject({ type: z.string() });

const textPart = z.looseObject({ type: z.enum(['input_text', 'output_text']), text: chatText });
const refusalPart = z.looseObject({ type: kind('refusal'), refusal: chatText });
const content = z.union([chatText, z.array(z.union([textPart, refusalPart, other])).min(1)], {
  error: 'must be a string or an array of parts',
});

/** The items of an input, by their type. One without a type is a message. */
export const INPUT_ITEMS = {
  message: z.looseObject({
    type: kind('message').optional(),
    role: z.enum(['user', 'assistant', 'system', 'developer']),
    content,
  }),
  function_call: z.looseObject({
    type: kind('function_call'),
    call_id: callId,
    name: functionName,
    arguments: chatText,
  }),
  function_call_output: z.looseObject({ type: kind('function_call_output'), call_id: callId, output: content }),
  item_reference: z.looseObject({ type: kind('item_reference'), id: z.string().max(512) }),
  reasoning: z.looseObject({ type: kind('reasoning') }),
} as const;

export type InputItem = {
  [Type in keyof typeof INPUT_ITEMS]: z.infer<(typeof INPUT_ITEMS)[Type]>;
}[keyof typeof INPUT_ITEMS];

const inputItem = z.union([...Object.values(INPUT_ITEMS), z.looseObject({})]);

const format = z.discriminatedUnion('type', [
  z.looseObject({ type: kind('text') }),
  z.looseObject({ type: kind('json_object') }),
  z.looseObject({
    type: kind('json_schema'),
    name: functionName,
    description: maybe(chatText),
    schema: jsonSchema,
    strict: z.boolean().nullish(),
  }),
]);

export const functionTool = z.looseObject({
  type: kind('function'),
  name: functionName,
  description: maybe(chatText),
  parameters: maybe(jsonSchema),
  strict: z.boolean().nullish(),
});
const tool = z.union([functionTool, other]);

const toolChoice = z.union([z.enum(TOOL_CHOICES), z.looseObject({ type: kind('function'), name: functionName })], {
  error: 'must be none, auto, required or {"type": "function", "name"}',
});

/** The body of `POST /v1/responses`. What it does not know is looked at by `api/openai/responses/request.ts`. */
export const responseBody = z
  .looseObject({
    model: z.string().min(1).max(100),
    input: z.union([chatText, z.array(inputItem).min(1).max(2_048)]),
    instructions: maybe(chatText),
    stream: maybe(z.boolean()),
    stream_options: maybe(z.looseObject({})),
    max_output_tokens: maybe(z.int().min(1).max(MOST_INTEGER)),
    temperature: maybe(z.number().min(0).max(2)),
    top_p: maybe(z.number().min(0).max(1)),
    top_logprobs: maybe(z.int().min(0).max(20)),
    text: maybe(z.looseObject({ format: maybe(format), verbosity: maybe(z.enum(VERBOSITIES)) })),
    reasoning: maybe(z.looseObject({ effort: maybe(z.enum(REASONING_EFFORTS)), summary: maybe(z.string()) })),
    tools: maybe(z.array(tool).max(128)),
    tool_choice: maybe(toolChoice),
    parallel_tool_calls: maybe(z.boolean()),
    ...whoAsks,
    include: maybe(z.array(z.string()).max(16)),
    metadata: maybe(z.record(z.string().max(64), z.string().max(512))),
    store: maybe(z.boolean()),
  })
  .meta({ id: 'ResponseRequest' });
export type ResponseBody = z.infer<typeof responseBody>;

const count = z.int().min(0);
export const responseUsage = z.object({
  input_tokens: count,
  input_tokens_details: z.object({ cached_tokens: count }),
  output_tokens: count,
  output_tokens_details: z.object({ reasoning_tokens: count }),
  total_tokens: count,
});

const itemStatus = z.enum(['in_progress', 'completed', 'incomplete']);
const outputItem = z.union([
  z.object({
    id: z.string(),
    type: kind('message'),
    status: itemStatus,
    role: kind('assistant'),
    content: z.array(
      z.union([
        z.object({
          type: kind('output_text'),
          text: z.string(),
          annotations: z.array(z.never()),
          logprobs: z.array(z.unknown()),
        }),
        z.object({ type: kind('refusal'), refusal: z.string() }),
      ]),
    ),
  }),
  z.object({
    id: z.string(),
    type: kind('function_call'),
    status: itemStatus,
    call_id: z.string(),
    name: z.string(),
    arguments: z.string(),
  }),
]);
export type OutputItem = z.infer<typeof outputItem>;

export const response = z
  .looseObject({
    id: z.string(),
    object: kind('response'),
    created_at: z.int(),
    status: z.enum(['in_progress', 'completed', 'incomplete', 'failed']),
    error: z.looseObject({ code: z.string(), message: z.string() }).nullable(),
    incomplete_details: z.object({ reason: z.string() }).nullable(),
    model: z.string(),
    output: z.array(outputItem),
    usage: responseUsage.nullable(),
    store: z.literal(false),
  })
  .meta({ id: 'Response' });
export type ResponseObject = z.infer<typeof response>;
