import { afterAll, beforeAll, expect, test } from '@jest/globals';
import OpenAI from 'openai';
import { sql } from 'kysely';
import { imageTokens, publishedVision } from '../../domain/files/vision.ts';
import { PICTURES, pngOf, pngThatClaims, SECRET } from '../support/pictures.ts';
import { startTestStack, type Person, type TestStack } from '../support/stack.ts';

const MODELS = JSON.stringify([
  { name: 'gpt-4o', contextWindow: 100_000, maxOutputTokens: 1_000 },
  { name: 'blind', contextWindow: 100_000, maxOutputTokens: 1_000 },
]);
let stack: TestStack;
let person: Person;
let client: OpenAI;
beforeAll(async () => {
  stack = await startTestStack({ MODELS });
  person = await stack.person();
  client = new OpenAI({ apiKey: person.token, baseURL: `${stack.url}/v1`, maxRetries: 0 });
});
afterAll(() => stack.close());

const url = (bytes: Buffer, type = 'image/png') => `data:${type};base64,${bytes.toString('base64')}`;
const image = (address: string, detail?: 'low' | 'high') =>
  ({ type: 'image_url', image_url: { url: address, ...(detail === undefined ? {} : { detail }) } }) as const;
const ask = (...content: OpenAI.ChatCompletionContentPart[]) =>
  client.chat.completions.create({
    model: 'gpt-4o',
    max_completion_tokens: 300,
    messages: [{ role: 'user', content }],
  });
const tokensOf = (width: number, height: number, detail: 'low' | 'high' = 'high') =>
  imageTokens(publishedVision('gpt-4o')!, { width, height }, detail);

test('an unmodified client’s images reach the model in their places, clean, and count by the published rule', async () => {
  const answer = await ask(
    { type: 'text', text: 'first ' },
    image(url(PICTURES.jpeg, 'image/png')),
    { type: 'text', text: 'then' },
    image(url(pngOf(1_024, 1_024)), 'low'),
  );
  const asked = stack.model.requests.at(-1)!.body.messages[0]!.content as unknown as { image_url?: { url: string } }[];
  expect(asked).toEqual([
    { type: 'text', text: 'first ' },
    { type: 'image_url', image_url: { url: expect.stringMatching(/^data:image\/jpeg;base64,/) } },
    { type: 'text', text: 'then' },
    { type: 'image_url', image_url: { url: url(pngOf(1_024, 1_024)), detail: 'low' } },
  ]);
  expect(Buffer.from(asked[1]!.image_url!.url.split(',')[1]!, 'base64').includes(SECRET)).toBe(false);
  const images = tokensOf(48, 32) + tokensOf(1_024, 1_024, 'low');
  expect(answer.usage!.prompt_tokens).toBeGreaterThan(images);
  expect(answer.usage!.prompt_tokens).toBeLessThan(images + 20);
  const { rows } = await sql<{ prompt: number; tokens: number }>`select prompt_tokens as prompt, tokens from holds
    order by created_at desc limit 1`.execute(stack.db.database.sql);
  expect(rows[0]!.prompt).toBe(answer.usage!.prompt_tokens);
  const { body } = await person.call('GET', '/api/ai-usage');
  expect(body.usedTokens).toBe(answer.usage!.total_tokens);
  const responded = await client.responses.create({
    model: 'gpt-4o',
    store: false,
    input: [
      {
        role: 'user',
        content: [
          { type: 'input_text', text: 'what?' },
          { type: 'input_image', image_url: url(pngOf(600, 400)), detail: 'auto' },
        ],
      },
    ],
  });
  expect(responded.usage!.input_tokens).toBeGreaterThan(tokensOf(600, 400));
  expect(stack.model.requests.at(-1)!.body.messages[0]!.content).toEqual([
    { type: 'text', text: 'what?' },
    { type: 'image_url', image_url: { url: url(pngOf(600, 400)), detail: 'auto' } },
  ]);
});

test('what cannot be known or seen is refused with a sentence, and nothing is called', async () => {
  const calls = stack.model.requests.length;
  const big = Buffer.concat([pngOf(1, 1).subarray(0, 33), Buffer.alloc(6_500_000)]);
  const cases: [OpenAI.ChatCompletionContentPart[], object][] = [
    [
      [image('https://example.com/a.png')],
      { status: 400, code: 'unsupported_parameter', param: 'messages.0.content.0.image_url.url', message: /data:/ },
    ],
    [
      [image(url(pngThatClaims(100_000, 100_000)))],
      { status: 400, code: 'invalid_image_format', message: /화소|megapixels/ },
    ],
    [[image(url(PICTURES.animatedGif, 'image/gif'))], { status: 400, code: 'invalid_image_format' }],
    [[image(url(Buffer.from('<svg xmlns="x"/>'), 'image/svg+xml'))], { status: 400, code: 'invalid_image_format' }],
    [[image('data:image/png;base64,%%%')], { status: 400, code: 'invalid_request' }],
    [[image(url(pngOf(1, 1)), 'huge' as never)], { status: 400, code: 'invalid_request' }],
    [[image(url(big))], { status: 413, code: 'payload_too_large', message: /6 MiB/ }],
    [[image('data:image/png;base64,\\"'.repeat(200_000))], { status: 413, code: 'payload_too_large' }],
    [
      Array.from({ length: 33 }, () => image(url(pngOf(1, 1)))),
      { status: 400, code: 'invalid_request', message: /32/ },
    ],
  ];
  for (const [content, refusal] of cases) {
    const { message, ...rest } = refusal as { message?: RegExp };
    await expect(ask(...content)).rejects.toMatchObject({
      ...rest,
      ...(message === undefined ? {} : { message: expect.stringMatching(message) }),
    });
  }
  const blind = client.chat.completions.create({
    model: 'blind',
    messages: [{ role: 'user', content: [image(url(pngOf(1, 1)))] }],
  });
  await expect(blind).rejects.toMatchObject({ status: 400, code: 'model_sees_no_images' });
  const byAssistant = client.chat.completions.create({
    model: 'gpt-4o',
    messages: [{ role: 'assistant', content: [image(url(pngOf(1, 1)))] as never }],
  });
  await expect(byAssistant).rejects.toMatchObject({ status: 400, code: 'unsupported_parameter' });
  expect(stack.model.requests.length).toBe(calls);
});

test('races through this door never pass 105 % either', async () => {
  const poor = await stack.person();
  await poor.call('POST', '/api/ai-usage/test-usage', { userId: poor.userId, usagePercent: 97 });
  const body = {
    model: 'gpt-4o',
    max_completion_tokens: 256,
    messages: [{ role: 'user', content: [image(url(pngOf(1_024, 1_024)))] }],
  };
  const answers = await Promise.all(Array.from({ length: 12 }, () => poor.call('POST', '/v1/chat/completions', body)));
  expect(answers.every(({ status }) => [200, 402, 429].includes(status))).toBe(true);
  expect(answers.some(({ status }) => status === 200)).toBe(true);
  const { body: usage } = await poor.call('GET', '/api/ai-usage');
  expect(usage.usedTokens).toBeGreaterThan(97_000 + 765);
  expect(usage.usedTokens).toBeLessThanOrEqual(105_000);
});
