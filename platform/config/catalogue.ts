import { z } from 'zod';
import { readFileSync } from 'node:fs';
import { publishedVision } from '../../domain/files/vision.ts';
import type { Model } from '../../domain/model.ts';
import { CURRENCIES } from '../../domain/payments/money.ts';

const tokens = z.int().min(1).max(100_000_000);
// A rate is at most a thousandfold, so that the largest debit (10^8 tokens a side) stays below the ledger's 10^12 an
// entry.
const rate = z.int().min(1).max(1_000_000);

// A price as the provider's list has it, in the currency's main unit for a million tokens: 0.4 dollars. At most six
// decimals, so that it is kept as an integer of micros.
const price = z
  .number()
  .min(0)
  .max(1_000_000)
  .refine((main) => Number(main.toFixed(6)) === main, 'at most six decimals')
  .transform((main) => Math.round(main * 1_000_000));
const costSchema = z
  .strictObject({ currency: z.enum(CURRENCIES), prompt: price, cached: price.optional(), completion: price })
  .transform(({ cached, ...cost }) => ({ ...cost, cached: cached ?? cost.prompt }));
const visionSchema = z.discriminatedUnion('rule', [
  z.strictObject({ rule: z.literal('tiles'), base: tokens, tile: tokens }),
  z.strictObject({ rule: z.literal('patches'), most: tokens, thousandths: z.int().min(1).max(1_000_000) }),
]);

const modelSchema = z.strictObject({
  name: z.string().min(1).max(100).describe('what clients send as `model` and what the provider is asked for'),
  instructions: z.string().max(20_000).default('').describe('the system prompt; counted and billed with every turn'),
  historyTokens: z.int().min(0).default(4_000),
  historyFileTokens: z.int().min(0).default(8_000),
  contextWindow: tokens,
  maxOutputTokens: tokens,
  defaultOutputTokens: tokens.default(2_048),
  limitField: z.enum(['max_completion_tokens', 'max_tokens']).default('max_completion_tokens'),
  encoding: z.enum(['o200k_base', 'cl100k_base']).default('o200k_base'),
  vision: visionSchema
    .nullable()
    .optional()
    .describe('how the provider counts images; null: it sees none; absent: what OpenAI publishes for this name'),
  usageFloor: z.number().min(0).max(1).default(0.5),
  systemRole: z.enum(['system', 'developer', 'merged']).default('system'),
  refuses: z.array(z.enum(['stream_options'])).default([]),
  unanswered: z.enum(['drop', 'merge']).default('drop'),
  rate: z
    .strictObject({ input: rate, cachedInput: rate, output: rate })
    .default({ input: 1000, cachedInput: 1000, output: 1000 }),
  cost: costSchema.optional(),
});

const catalogueSchema = z
  .array(
    modelSchema.transform((model) => ({
      ...model,
      vision: model.vision === undefined ? publishedVision(model.name) : model.vision,
    })),
  )
  .min(1)
  .refine((models) => new Set(models.map((m) => m.name)).size === models.length, 'model names must be unique');

const INSTRUCTIONS = '당신은 친절하고 정확한 상담 도우미입니다. 사용자의 언어로 간결하게 답하세요.';

/**
 * The models on offer when `MODELS` is not set; the first one is the default. Instructions stay under 60 tokens (policy
 * 5). Costs are those of OpenAI's list (platform.openai.com/docs/pricing, standard tier).
 */
const DEFAULT_CATALOGUE = [
  {
    name: 'gpt-4.1-mini',
    instructions: INSTRUCTIONS,
    contextWindow: 1_047_576,
    maxOutputTokens: 32_768,
    cost: { currency: 'USD', prompt: 0.4, cached: 0.1, completion: 1.6 },
  },
  {
    name: 'gpt-5-mini',
    instructions: INSTRUCTIONS,
    contextWindow: 400_000,
    maxOutputTokens: 128_000,
    defaultOutputTokens: 8_192,
    cost: { currency: 'USD', prompt: 0.25, cached: 0.025, completion: 2 },
  },
];

/**
 * @param source JSON text, or the path of a JSON file.
 * @throws for anything that is not a catalogue: a wrong rate must stop the start (G14).
 */
export function readCatalogue(source: string | undefined): readonly Model[] {
  if (source === undefined || source === '') return catalogueSchema.parse(DEFAULT_CATALOGUE);
  const text = source.trimStart().startsWith('[') ? source : readFileSync(source, 'utf8');
  return catalogueSchema.parse(JSON.parse(text));
}
